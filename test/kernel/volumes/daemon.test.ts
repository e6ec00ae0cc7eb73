import assert from 'node:assert/strict';
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';

import type { NetworkObject, VolumeObject } from '../../../src/api/v1/supply-types.ts';
import { onNode, type TestNode } from '../../support/daemon.ts';
import { until } from '../../support/until.ts';

const HEAD = (kind: string, name: string): string => `apiVersion: mooring.dev/v1alpha1\nkind: ${kind}\nmetadata: {name: ${name}}\n`;

async function volume(node: TestNode, name: string): Promise<VolumeObject> {
  return JSON.parse((await node.mooring('volume', 'inspect', name)).stdout) as VolumeObject;
}

async function reason(node: TestNode, name: string): Promise<string | undefined> {
  return (await node.get(name)).status.conditions.find(({ type }) => type === 'Ready')?.reason;
}

test(
  'a folder brings networks and volumes up before the containers that name them, and takes them away behind them',
  onNode(async (node) => {
    await writeFile(join(node.specs, 'web.yaml'), node.sleeper('web', 'network: {mode: Bridge, networks: [{name: back}]}\nmounts: [{mountPath: /data, volume: {name: data}}]'));
    await node.start();
    await until('it waits for both', async () => (await reason(node, 'web')) === 'NetworkMissing');
    const waiting = await node.mooring('describe', 'web');
    assert.match(waiting.stdout, /it waits for network default\/back, which nobody has declared/);
    assert.match(waiting.stdout, /it waits for volume default\/data, which nobody has declared/);
    assert.equal((await node.get('web')).status.restartCount, 0);

    await writeFile(join(node.specs, 'back.yaml'), `${HEAD('Network', 'back')}spec: {subnets: [{cidr: 10.213.7.0/24}]}\n---\n${HEAD('Volume', 'data')}`);
    await until('it runs', async () => (await reason(node, 'web')) === 'Running');
    assert.match((await node.get('web')).status.addresses?.[0] ?? '', /^10\.213\.7\./);
    const network = JSON.parse((await node.mooring('network', 'inspect', 'back')).stdout) as NetworkObject;
    assert.deepEqual(network.status.subnets?.[0], '10.213.7.0/24');
    assert.deepEqual(network.status.containers.map(({ name }) => name), ['default/web']);
    const { path } = (await volume(node, 'data')).status;
    assert.ok(path);
    await writeFile(join(path, 'kept'), 'yes');

    // What can't be changed is told, and what is there stays.
    await writeFile(join(node.specs, 'back.yaml'), `${HEAD('Network', 'back')}spec: {subnets: [{cidr: 10.213.8.0/24}]}\n---\n${HEAD('Volume', 'data')}`);
    await until('the change is refused', async () => /subnets/.test((await node.mooring('get', 'networks')).stdout));
    assert.equal(await reason(node, 'web'), 'Running');
    const plan = await node.mooring('plan', '-f', node.specs);
    assert.match(plan.stdout, /network default\/back can not be changed so\n +spec.subnets: .*10\.213\.7\.0\/24.* → .*10\.213\.8\.0\/24.*\n +1\. Settled: spec.subnets can't be changed while network default\/back is there/);

    // While it is used it stays; when its last container is gone, so is it.
    await rm(join(node.specs, 'back.yaml'));
    await until('their removal waits', async () => (await node.mooring('network', 'inspect', 'back')).stdout.includes('"phase": "Removing"'));
    assert.match((await node.mooring('events', 'network/back')).stdout, /InUse .*container default\/web/);
    await rm(join(node.specs, 'web.yaml'));
    await until('the network is gone', async () => (await node.mooring('network', 'inspect', 'back')).code === 1);
    await until('the volume is released', async () => (await volume(node, 'data')).status.phase === 'Released');
    assert.equal(await readFile(join(path, 'kept'), 'utf8'), 'yes');
    assert.match((await node.mooring('volume', 'prune')).stdout, /removed default\/data/);
    assert.deepEqual(await readdir(join(node.dataDir, 'volumes')), []);
  }),
);

test(
  'the commands that people know make, show, connect and remove',
  onNode(async (node) => {
    await node.start();
    const run = async (...args: string[]): Promise<string> => {
      const { code, stdout, stderr } = await node.mooring(...args);
      assert.equal(code, 0, `${args.join(' ')}: ${stderr}`);
      return stdout;
    };
    const refused = async (pattern: RegExp, ...args: string[]): Promise<void> => {
      const { code, stderr } = await node.mooring(...args);
      assert.notEqual(code, 0);
      assert.match(stderr, pattern);
    };
    assert.equal(await run('network', 'create', '--subnet', '10.213.9.0/24', '--gateway', '10.213.9.254', '--label', 'tier=back', 'back'), 'back\n');
    assert.equal(await run('network', 'create', '--internal', '--no-ipv6', 'inner'), 'inner\n');
    await refused(/network default\/back exists already/, 'network', 'create', 'back');
    await refused(/overlap/i, 'network', 'create', '--subnet', '10.213.9.128/25', 'clash');
    await refused(/there is no network default\/clash/, 'network', 'inspect', 'clash');
    await refused(/"default" is the node's own network/, 'network', 'create', 'default');
    await refused(/--gateway 10.0.0.1 lies in no --subnet/, 'network', 'create', '--gateway', '10.0.0.1', 'x');
    await refused(/metadata.name/, 'network', 'create', 'Absurd_Name!');
    await refused(/parent/, 'network', 'create', '-d', 'macvlan', 'lan');
    await refused(/spec.driver/, 'network', 'create', '-d', 'overlay', 'lan');
    assert.match(await run('network', 'ls', '-o', 'wide'), /back +Bridge +Ready +10\.213\.9\.0\/24/);
    assert.equal(await run('network', 'ls', '-q'), 'back\ninner\n');
    assert.equal(await run('get', 'networks', '-o', 'name'), 'network/back\nnetwork/inner\n');
    assert.match(await run('describe', 'network/back'), /Gateways: +10\.213\.9\.254/);

    assert.equal(await run('volume', 'create', 'data'), 'data\n');
    assert.match(await run('volume', 'create'), /^[0-9a-f]{64}\n$/);
    await refused(/there is no volume default\/nothing|no source wants a volume default\/nothing/, 'volume', 'rm', 'nothing');
    await writeFile(join(node.root, 'web.yaml'), node.sleeper('web', 'network: {mode: Bridge}\nmounts: [{mountPath: /data, volume: {name: data}}]'));
    await run('apply', '-f', join(node.root, 'web.yaml'), '--wait');
    const { pid } = (await node.get('web')).status;
    await run('network', 'connect', '--alias', 'front', '--ip', '10.213.9.7', 'back', 'web');
    await until('it has the address', async () => (await node.get('web')).status.addresses?.includes('10.213.9.7'));
    assert.equal((await node.get('web')).status.pid, pid);
    await refused(/network default\/back is that of container default\/web/, 'network', 'rm', 'back');
    await refused(/volume default\/data is used by container default\/web/, 'volume', 'rm', 'data');
    await refused(/is connected to network default\/back already/, 'network', 'connect', 'back', 'web');
    await refused(/no source wants a container default\/ghost/, 'network', 'connect', 'back', 'ghost');
    await refused(/there is no network default\/ghost/, 'network', 'connect', 'ghost', 'web');
    await run('network', 'disconnect', 'default', 'web');
    await run('network', 'connect', 'default', 'web');
    await run('network', 'disconnect', 'back', 'web');
    await until('it has lost the address', async () => !(await node.get('web')).status.addresses?.includes('10.213.9.7'));
    assert.equal((await node.get('web')).status.pid, pid);
    await refused(/is the only one of container web/, 'network', 'disconnect', 'default', 'web');
    assert.match(await run('network', 'prune'), /removed default\/back\nremoved default\/inner\n/);
    await run('delete', 'web', '--wait');

    // Of a container that has ended, files lie where its mounts would show them: in the part of the volume that it has.
    await writeFile(join(node.root, 'once.yaml'), node.container('once', 'true', 'restartPolicy: Never\nmounts: [{mountPath: /data, volume: {name: data, subPath: part}}]'));
    await run('apply', '-f', join(node.root, 'once.yaml'), '--wait');
    await run('cp', join(node.root, 'once.yaml'), 'once:/data/copied');
    assert.deepEqual(await readdir(join((await volume(node, 'data')).status.path ?? '', 'part')), ['copied']);
    assert.match(await run('cat', 'once', '/data/copied'), /kind: Container/);
    await run('delete', 'once', '--wait');
    assert.equal(await run('volume', 'rm', 'data'), 'data\n');
    assert.match(await run('volume', 'prune', '--all'), /removed default\/[0-9a-f]{64}/);
    assert.deepEqual(await readdir(join(node.dataDir, 'volumes')), []);
  }),
);
