import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runCommand } from '../../../src/cli/program.ts';
import { createRequest } from '../../../src/cli/run/create-request.ts';
import { startFailure } from '../../../src/cli/docker/joined-start.ts';
import { bytesOf, nanoCpusOf } from '../../../src/cli/run/numbers.ts';
import { wholeFlags } from '../../../src/cli/run/run-flags.ts';
import type { Surroundings } from '../../../src/cli/run/surroundings.ts';
import { fakeIo } from './fake-io.ts';

// What is sent for which flags is compared with the real docker in test/kernel/cli/docker-flags.test.ts.

const files: Readonly<Record<string, string>> = { 'a.env': '\uFEFF# comment\n\n A=1 \nB\r\nC\nD==\n', bad: 'has blanks=1', 'not-utf8': '\xff' };
const here: Surroundings = { environment: { B: 'here', E: 'too' }, folder: '/work', readFile: (path) => (path === 'not-utf8' ? Buffer.from([0xff]) : Buffer.from(files[path] ?? assert.fail(`no ${path}`))) };

test('sizes are as Docker reads them', () => {
  const sizes: readonly [string, number][] = [['0', 0], ['512', 512], ['512b', 512], ['1k', 1024], ['1K', 1024], ['1kb', 1024], ['1KiB', 1024], ['1.5g', 1.5 * 2 ** 30], ['.5m', 2 ** 19], ['64 MB', 64 * 2 ** 20], ['2t', 2 ** 41]];
  for (const [text, bytes] of sizes) assert.equal(bytesOf('--memory', text), bytes, text);
  for (const text of ['', 'm', '-1', '1x', '1kbb', '1ib', '1 m b', '1e3']) assert.throws(() => bytesOf('--memory', text), { code: 'Invalid' }, text);
});

test('processors are counted in billionths', () => {
  const cpus: readonly [string, number][] = [['1', 1e9], ['1.5', 1.5e9], ['.25', 2.5e8], ['2.', 2e9], ['0.000000001', 1]];
  for (const [text, nanos] of cpus) assert.equal(nanoCpusOf('--cpus', text), nanos, text);
  for (const text of ['', '.', '-1', '1e3', '0.0000000001', '1,5']) assert.throws(() => nanoCpusOf('--cpus', text), { code: 'Invalid' }, text);
});

test('variables come from files, from flags and from the environment; the last counts', () => {
  const request = createRequest('i', [], wholeFlags({ envFile: ['a.env'], env: ['X=1', 'E', 'GONE'] }), here);
  assert.deepEqual(request['Env'], ['A=1 ', 'B=here', 'D==', 'X=1', 'E=too', 'GONE']);
  for (const file of ['bad', 'not-utf8']) assert.throws(() => createRequest('i', [], wholeFlags({ envFile: [file] }), here), { code: 'Invalid' });
});

test('what is not set is not sent', () => {
  assert.deepEqual(createRequest('i', [], wholeFlags({}), here), {
    Image: 'i', Cmd: null, Tty: false, OpenStdin: false, StdinOnce: false, AttachStdin: false, AttachStdout: true, AttachStderr: true, Env: [], Labels: {}, ExposedPorts: {}, Volumes: {},
    HostConfig: { NetworkMode: 'default', PortBindings: {}, Binds: [] }, NetworkingConfig: { EndpointsConfig: { default: {} } },
  });
});

const WRONG: readonly string[][] = [
  ['-m', '64x'], ['--cpus', '1.x'], ['-p', '80:90:100:x'], ['-p', '70000:80'], ['-p', '1-3:1-2'], ['-p', 'x'], ['-p', '80/icmp'], ['--expose', '1:2'], ['-v', ':/x'], ['--mount', 'type=bind,foo=bar,dst=/x'], ['--mount', 'type=bind,src=/x'],
  ['--restart', 'sometimes'], ['--restart', 'always', '--rm'], ['--ulimit', 'nofile'], ['--ulimit', 'nofile=5:3'], ['--ulimit', 'foo=1'], ['--device', '/dev/a:/dev/b:xyz'], ['--dns', 'not-an-address'], ['--add-host', 'nobody'], ['-a', 'stdfoo'],
  ['--env-file', '/nonexistent'], ['-e', '=x'], ['--health-interval', '5'], ['--no-healthcheck', '--health-cmd', 'true'], ['--memory-swappiness', '101'], ['--pid', 'container:'], ['--uts', 'private'], ['--security-opt', 'seccomp'], ['--pull', 'often'],
  ['--stop-timeout', 'soon'], ['--blkio-weight-device', '/dev/sda'], ['--device-cgroup-rule', 'x'], ['--gpus', 'all'], ['--nothing-like-that'],
];


test('a flag that is wrong is told of by its name, with 125, before anything is asked', async () => {
  for (const flags of WRONG) {
    const io = fakeIo();
    assert.equal(await runCommand(['-H', '/nonexistent/sock', 'run', ...flags, 'busybox'], io), 125, flags.join(' '));
    assert.doesNotMatch(io.written.err, /no daemon answers/, flags.join(' '));
    assert.ok(io.written.err.includes((flags.find((word) => word.startsWith('-')) ?? '').replace(/^-m$/, '--memory').replace(/^-p$/, '--publish').replace(/^-v$/, '--volume').replace(/^-a$/, '--attach').replace(/^-e$/, '--env')), `${flags.join(' ')}: ${io.written.err}`);
  }
});

test('why a container could not be started decides the exit status', () => {
  assert.equal(startFailure('exec: "foo": executable file not found in $PATH'), 127);
  assert.equal(startFailure('exec: "/etc": permission denied'), 126);
  assert.equal(startFailure('exec: "/etc": is a directory'), 126);
  assert.equal(startFailure('driver failed programming external connectivity'), 125);
});
