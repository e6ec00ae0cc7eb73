import assert from 'node:assert/strict';
import { cp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { messageOf } from '../../../src/lib/errors.ts';
import { OwnDockerd } from '../../docker/support/own-dockerd.ts';
import { runDocker } from '../../docker/support/run-docker.ts';
import { onNode, type TestNode } from '../../support/daemon.ts';
import { until } from '../../support/until.ts';

const EXAMPLE = join(import.meta.dirname, '../../../examples/compose');
const ROW = '1|kept in a volume, asked for by name\n';

/** What the kernel and the processes say of what runs as a service, wherever it runs. */
const PROBE = [
  'tr "\\0" " " < /proc/1/cmdline; echo',
  'grep -E "^(Uid|Gid|CapEff|CapBnd|NoNewPrivs|Seccomp):" /proc/1/status',
  'awk \'$5 ~ "^/(data|www|tmp)$" || $5 == "/" { print $5, substr($6, 1, 2) }\' /proc/1/mountinfo | sort',
  'ls -d /sys/class/net/eth* | wc -l',
  'nslookup database 2>/dev/null | grep -c "^Name:.*database"',
].join('; ');

test(
  'a compose file in the specs folder comes up, is changed and is removed, and what runs is what docker-compose makes of it',
  onNode(async (node) => {
    const [port, otherPort] = [await freePort(), await freePort()];
    await cp(EXAMPLE, join(node.specs, 'shop'), { recursive: true });
    await writeFile(join(node.specs, 'shop/.env'), `WEB_PORT=${port}\n`);
    // What the harness knows its containers by, should the test fail.
    const marks = ['web', 'db'].map((service) => `  ${service}: {environment: ["${node.mark(service)}"]}`);
    await writeFile(join(node.specs, 'shop/compose.override.yaml'), `services:\n${marks.join('\n')}\n`);
    await node.start();
    await page(port).catch(async (error: unknown) => {
      throw new Error(`${messageOf(error)}\n${(await node.mooring('get', '-A', '-o', 'wide')).stdout}`, { cause: error });
    });
    const ours = { web: await probe(node, 'web'), db: await probe(node, 'db') };

    const db = (await node.get('shop-db-1')).status;
    await writeFile(join(node.specs, 'shop/.env'), `WEB_PORT=${otherPort}\n`);
    await page(otherPort);
    await assert.rejects(fetch(`http://127.0.0.1:${port}/`, { signal: AbortSignal.timeout(2_000) }), 'the earlier port is closed');
    assert.equal((await node.get('shop-db-1')).status.pid, db.pid, 'the other service ran on');

    assert.deepEqual(ours, await underDockerCompose(node), "what docker-compose's containers say of themselves");

    await rm(join(node.specs, 'shop/compose.yaml'));
    await until('both are gone', async () => (await node.mooring('get', '-A', '-o', 'name')).stdout === '');
    assert.equal((await node.mooring('network', 'ls', '-o', 'json')).stdout.includes('shop-back'), false);
  }),
);

/** The page of the example, once it is there. */
async function page(port: number): Promise<void> {
  const text = await until(`port ${port} shows the row`, async () => {
    const response = await fetch(`http://127.0.0.1:${port}/`, { signal: AbortSignal.timeout(2_000) });
    return response.status === 200 && response.text();
  });
  assert.equal(text, ROW);
}

async function probe(node: TestNode, service: string): Promise<string> {
  const { code, stdout, stderr } = await node.mooring('exec', `shop-${service}-1`, 'sh', '-c', PROBE);
  assert.equal(code, 0, stderr);
  return stdout;
}

/** The same file by docker-compose on a dockerd of the test's own, with the same image. */
async function underDockerCompose(node: TestNode): Promise<Readonly<Record<'web' | 'db', string>>> {
  await using dockerd = await OwnDockerd.start();
  const saved = await node.mooring('image', 'save', 'mooring.local/busybox:latest', '-o', join(node.root, 'busybox.tar'));
  assert.equal(saved.code, 0, saved.stderr);
  const loaded = await runDocker(dockerd.host, ['load', '-i', join(node.root, 'busybox.tar')]);
  assert.equal(loaded.code, 0, loaded.stderr);
  const port = await freePort();
  const compose = async (...args: readonly string[]): Promise<string> => {
    const { code, stdout, stderr } = await runDocker(dockerd.host, ['--ansi', 'never', '-f', join(EXAMPLE, 'compose.yaml'), '-p', 'shop', ...args], { command: 'docker-compose', env: { WEB_PORT: String(port) } });
    assert.equal(code, 0, `docker-compose ${args.join(' ')}: ${stdout}${stderr}`);
    return stdout;
  };
  try {
    await compose('up', '-d');
    await page(port);
    return { web: await compose('exec', '-T', 'web', 'sh', '-c', PROBE), db: await compose('exec', '-T', 'db', 'sh', '-c', PROBE) };
  } finally {
    await compose('down', '-v', '-t', '0');
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  assert.ok(address !== null && typeof address === 'object');
  return address.port;
}
