import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { MOORING } from '../../support/daemon.ts';

const run = promisify(execFile);

/** Listens as an engine that makes nothing, and keeps what it was asked to make. */
async function engine(folder: string) {
  const asked: { query: string; body: unknown }[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      response.setHeader('Api-Version', '1.44');
      response.setHeader('OSType', 'linux');
      response.setHeader('Content-Type', 'application/json');
      const url = new URL(request.url ?? '/', 'http://engine');
      if (!url.pathname.endsWith('/containers/create')) return void response.end('OK');
      asked.push({ query: [...url.searchParams].map((pair) => pair.join('=')).toSorted((a, b) => (a < b ? -1 : 1)).join('&'), body: JSON.parse(Buffer.concat(chunks).toString()) });
      response.statusCode = 201;
      response.end(JSON.stringify({ Id: 'made', Warnings: [] }));
    });
  });
  server.listen(join(folder, 'docker.sock'));
  await once(server, 'listening');
  return { asked, close: () => new Promise((resolve) => server.close(resolve)) };
}

/** Of these an entry that is empty differs from none. */
const SETS = new Set(['ExposedPorts', 'Volumes', 'Labels', 'EndpointsConfig', 'PortBindings', 'Tmpfs', 'Annotations']);
/** Of these an empty one differs from none. */
const LISTS = new Set(['Entrypoint', 'MaskedPaths', 'ReadonlyPaths']);

/** Without what says nothing, since docker sends every field there is; in one order. */
function said(value: unknown, isSet = false): unknown {
  if (Array.isArray(value)) return value.map((item) => said(item));
  if (typeof value !== 'object' || value === null) return value;
  // Docker keeps these in maps: they come in any order.
  const fields = Object.entries(value).map(([key, field]) => [key, (key === 'Binds' || key === 'Env') && Array.isArray(field) ? (field as string[]).toSorted((a, b) => (a < b ? -1 : 1)) : said(field, SETS.has(key))] as const);
  return Object.fromEntries(fields.filter(([key, field]) => isSet || !saysNothing(key, field)).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

function saysNothing(key: string, field: unknown): boolean {
  if (key === 'MemorySwappiness') return field === -1;
  // How large the terminal of this command is.
  if (key === 'ConsoleSize') return true;
  if (key === 'RestartPolicy') return JSON.stringify(field) === '{"Name":"no"}';
  if (LISTS.has(key)) return field === null;
  return field === null || field === '' || field === false || field === 0 || ['[]', '{}'].includes(JSON.stringify(field));
}

const CASES: readonly string[][] = [
  ['busybox'],
  ['busybox', 'ls', '-l', '/'],
  ['-it', '--rm', '--name', 'web', 'busybox', 'sh'],
  ['-ih', 'host1', '--domainname', 'example.org', '-u', '1000:1000', '-w/tmp', 'busybox'],
  ['--entrypoint', '/bin/sh', 'busybox', '-c', 'true'],
  ['--entrypoint=', 'busybox', 'true'],
  ['-e', 'A=b', '-eC=d=e', '-e', 'FROM_HERE', '-e', 'NOT_HERE', '--env-file', '@env', 'busybox'],
  ['-l', 'a=b', '--label', 'alone', '--label-file', '@labels', 'busybox'],
  ['-p', '80', '-p', '8080:80', '-p', '127.0.0.1:53:53/udp', '-p', '[::1]:8443:443', '-p', '127.0.0.1::90', 'busybox'],
  ['-p', '8000-8002:9000-9002', '-p', '7000-7010:70', '--expose', '5000-5001', '--expose', '6000/udp', '-P', 'busybox'],
  ['-v', '/srv:/data:ro', '-v', 'named:/var/lib', '-v', '/anonymous', '-v', './here:/here', 'busybox'],
  ['--mount', 'type=bind,src=/srv,dst=/data,readonly', '--mount', 'type=volume,source=v,target=/v,volume-nocopy,volume-label=a=b,volume-driver=local,volume-opt=type=none', '--mount', 'type=tmpfs,target=/t,tmpfs-size=64m,tmpfs-mode=1770', 'busybox'],
  ['--mount', 'type=bind,source=/a,target=/b,bind-propagation=rslave,bind-recursive=disabled', '--mount', '"type=bind","src=/with,comma",dst=/c', 'busybox'],
  ['--tmpfs', '/run:size=1m,mode=755', '--tmpfs', '/tmp', '--volumes-from', 'other:ro', '--volume-driver', 'local', 'busybox'],
  ['-m', '64m', '--memory-reservation', '32MiB', '--memory-swap=-1', '--memory-swappiness', '10', '--cpus', '1.5', '-c', '512', '--cpuset-cpus', '0-1', '--cpuset-mems', '0', '--pids-limit', '100', 'busybox'],
  ['--cpu-period', '100000', '--cpu-quota', '50000', '--oom-kill-disable', '--oom-score-adj', '500', '--shm-size', '1.5g', '--blkio-weight', '300', 'busybox'],
  ['--device', '/dev/fuse', '--device', '/dev/null:/dev/xnull:r', '--device', '/dev/zero:rw', '--device-cgroup-rule', 'c 42:* rmw', '--device-read-bps', '/dev/sda:1mb', '--device-write-iops', '/dev/sda:100', '--blkio-weight-device', '/dev/sda:200', 'busybox'],
  ['--ulimit', 'nofile=1024:2048', '--ulimit', 'nproc=10', '--sysctl', 'net.core.somaxconn=1024', '--cap-add', 'NET_ADMIN', '--cap-drop', 'ALL', '--group-add', 'audio', 'busybox'],
  ['--security-opt', 'seccomp=unconfined', '--security-opt', 'no-new-privileges', '--security-opt', 'apparmor=profile', 'busybox'],
  ['--security-opt', 'seccomp=@profile', '--security-opt', 'systempaths=unconfined', '--privileged', '--read-only', 'busybox'],
  ['--restart', 'on-failure:5', '--stop-signal', 'SIGQUIT', '--stop-timeout', '7', '--init', 'busybox'],
  ['--restart=unless-stopped', '--log-driver', 'json-file', '--log-opt', 'max-size=10m', '--log-opt', 'tag=x', 'busybox'],
  ['--network', 'host', '--pid', 'host', '--ipc', 'host', '--uts', 'host', '--userns', 'host', '--cgroupns', 'private', 'busybox'],
  ['--network', 'none', 'busybox'],
  ['--net', 'container:other', 'busybox'],
  ['--network', 'back', '--network-alias', 'db', '--ip', '10.1.2.3', '--ip6', 'fd00::7', '--link', 'other:alias', 'busybox'],
  ['--network', 'name=back,alias=db,alias=db2,ip=10.1.2.3', '--network', 'front', 'busybox'],
  ['--link', 'other:alias', '--dns', '10.0.0.1', '--dns-search', 'example.org', '--dns-option', 'ndots:2', '--add-host', 'a:10.0.0.2', '--add-host', 'b=host-gateway', 'busybox'],
  ['--health-cmd', 'true', '--health-interval', '1m30s', '--health-timeout', '5s', '--health-retries', '3', '--health-start-period', '10s', 'busybox'],
  ['--no-healthcheck', 'busybox'],
  ['--cgroup-parent', '/there', '--runtime', 'other', '--storage-opt', 'size=10G', '--annotation', 'a=b', '--platform', 'linux/arm64', 'busybox'],
  ['--rm=true', '--read-only=false', '-a', 'stdout', '-i', 'busybox'],
];

test('create sends what the real docker sends for the same flags', { timeout: 120_000 }, async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'mooring-flags-'));
  const daemon = await engine(folder);
  const host = `unix://${folder}/docker.sock`;
  const env = { PATH: process.env['PATH'], HOME: folder, FROM_HERE: 'of the environment', DOCKER_CLI_HINTS: 'false' };
  try {
    await writeFile(join(folder, 'env'), '# a comment\n\nONE=1\n  TWO=2 and = more \nFROM_HERE\nNOT_HERE\nEMPTY=\n');
    await writeFile(join(folder, 'labels'), 'first=1\n#no\nsecond\n');
    await writeFile(join(folder, 'profile'), '{\n  "defaultAction": "SCMP_ACT_ALLOW"\n}\n');
    for (const given of CASES) {
      const words = given.map((word) => word.replace('@', `${folder}/`));
      await run('docker', ['-H', host, 'create', ...words], { env, cwd: folder });
      await run(MOORING, ['-H', host, 'create', ...words], { env, cwd: folder });
      const [theirs, ours] = daemon.asked.splice(0);
      assert.ok(theirs && ours);
      await t.test(given.join(' '), () => {
        assert.deepEqual(said(ours.body), said(theirs.body));
        assert.equal(ours.query, theirs.query);
      });
    }
  } finally {
    await daemon.close();
    await rm(folder, { recursive: true });
  }
});
