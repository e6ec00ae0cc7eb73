import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import test from 'node:test';
import { onTerminal } from './support/on-terminal.ts';
import { onBothEngines } from './support/two-engines.ts';

/** Of ten runs each. */
const ROUNDS = 20;
/** More than any buffer on the way holds. */
const MANY = 40 * 1024 * 1024;

test('what goes in and comes out of containers, as with dockerd', onBothEngines(async (engines) => {
  const same = engines.same.bind(engines);
  const { mooring } = engines;

  // Not a byte of a short-lived one is lost.
  const run = async (word: string): Promise<void> => {
    const { code, stdout, stderr } = await mooring.docker('run', '--rm', 'busybox', 'echo', word);
    assert.deepEqual({ code, stdout, stderr }, { code: 0, stdout: `${word}\n`, stderr: '' });
  };
  for (let round = 0; round < ROUNDS; round++) await Promise.all(Array.from({ length: 10 }, (_, index) => run(`run ${round} ${index}`)));

  // Nor of one that writes faster than it is read, nor of what it reads.
  const input = Buffer.alloc(MANY, 'mooring\n');
  const { stdout } = await mooring.with({ input }, 'run', '-i', '--rm', 'busybox', 'wc', '-c');
  assert.equal(stdout.trim(), String(MANY));
  assert.equal(await slowlyRead(mooring.host, ['run', '--rm', 'busybox', 'dd', 'if=/dev/zero', 'bs=64k', `count=${MANY / 65_536}`]), MANY);

  await same(['run', '--rm', 'busybox', 'sh', '-c', 'for i in 1 2 3; do echo out $i; echo err $i >&2; done']);
  await same(['run', '-a', 'stderr', '--name', 'half', 'busybox', 'sh', '-c', 'echo out; echo err >&2']);
  await same(['logs', 'half'], { anyOrder: true });
  await same(['run', '-d', '-i', '--name', 'open', 'busybox', 'sh', '-c', 'read word; echo got $word; sleep 100']);
  await same(['attach', '--sig-proxy=false', '--no-stdin', 'nosuch']);

  await same(['run', '-d', '--name', 'talk', 'busybox', 'sh', '-c', 'for i in $(seq 10); do echo line $i; done; exec sleep 100']);
  await same(['logs', '--tail', '3', 'talk'], { anyOrder: true });
  await same(['logs', '--tail', '0', 'talk']);
  await same(['logs', '--tail', 'all', 'talk']);
  await same(['logs', '-t', '--tail', '1', 'talk'], { codeOnly: true });
  await same(['logs', '--since', '10m', 'talk']);
  await same(['logs', '--until', '10m', 'talk']);
  await same(['logs', '--since', '2030-01-01T00:00:00Z', 'talk']);

  await same(['exec', 'talk', 'echo', 'in']);
  await same(['exec', '-i', 'talk', 'cat'], { input: 'through exec\n' });
  await same(['exec', 'talk', 'sh', '-c', 'echo out; echo err >&2; exit 7']);
  await same(['exec', '-e', 'A=b', '-w', '/tmp', '-u', '12:34', 'talk', 'sh', '-c', 'echo $A; pwd; id -u; id -g']);
  await same(['exec', '-d', 'talk', 'touch', '/tmp/made']);
  await same(['exec', 'talk', 'ls', '/tmp']);
  assert.equal((await mooring.docker('exec', 'talk', 'nosuch')).code, 127); // dockerd 20.10 says 126, later ones 127
  await same(['exec', 'talk', '/etc'], { codeOnly: true });
  await same(['exec', 'nosuch', 'true']);
  const followed = mooring.docker('logs', '-f', 'talk');
  await mooring.docker('kill', 'talk');
  assert.match((await followed).stdout, /^line 1\n(.*\n)*line 10\n$/);
  await engines.dockerd.docker('kill', 'talk');
  await same(['exec', 'talk', 'true']);

  for (const engine of engines.both) {
    const session = await onTerminal(engine.host, [['until', '#', '\r'], ['send', 'tty\r'], ['expect', '/dev/pts/0'], ['until', '24 80', 'stty size\r'], ['size', 33, 99], ['until', '33 99', 'stty size\r'], ['send', 'exit 4\r']], ['run', '-it', '--rm', 'busybox', 'sh']);
    assert.deepEqual({ code: session.code, restored: session.restored }, { code: 4, restored: true }, engine.name);
    const shell = ['run', '-it', '--name', 'shell', 'busybox', 'sh'];
    assert.equal((await onTerminal(engine.host, [['until', '#', '\r'], ['send', 'echo to$((1+1))\r'], ['expect', 'to2'], ['send', '\u0010\u0011']], shell)).code, 0, engine.name);
    assert.equal((await onTerminal(engine.host, [['until', '#', '\r'], ['send', 'exit 6\r']], ['attach', 'shell'])).code, 6, engine.name);
    await engine.docker('start', 'shell');
    assert.equal((await onTerminal(engine.host, [['until', '#', '\r'], ['send', 'stty size; exit 2\r']], ['exec', '-it', 'shell', 'sh'])).code, 2, engine.name);
  }
}));

/** How many bytes come out of a command whose output is read with pauses. */
async function slowlyRead(host: string, args: readonly string[]): Promise<number> {
  const child = spawn('docker', args, { env: { PATH: process.env['PATH'], DOCKER_HOST: host, DOCKER_CONFIG: '/nonexistent' }, stdio: ['ignore', 'pipe', 'ignore'] });
  let bytes = 0;
  for await (const piece of child.stdout as AsyncIterable<Buffer>) {
    // Now and then so long that everything on the way is full.
    if (Math.floor(bytes / 16e6) < Math.floor((bytes + piece.length) / 16e6)) await new Promise((resolve) => setTimeout(resolve, 300));
    bytes += piece.length;
  }
  return bytes;
}
