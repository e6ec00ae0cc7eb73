import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readlink } from 'node:fs/promises';
import { after, before, describe, it } from 'node:test';

import type { NetworkName } from '../../../src/spec/name.ts';
import { until } from '../../support/until.ts';
import { containerOf, type TestNode } from '../engine/support.ts';
import { addressesOn, ask, driftOf, enter, networkOf, observed, openNetworkNode, removeContainer, restoreNetwork, run, serve, type Started, startOn, tracesOf } from './support.ts';

const PORT = 8080;
const namespaceOf = (pid: number): Promise<string> => readlink(`/proc/${pid}/ns/net`);

describe('the network of another container', () => {
  let node: TestNode;
  let owner: Started;
  const sharing = (container: string) => ({ network: { mode: 'Container', container }, restartPolicy: 'Always' });
  const start = async (name: string, container: string): Promise<number> => {
    const id = await node.engine.create(containerOf(name, { command: ['sleep', 'infinity'], ...sharing(container) }), 'hash');
    await node.engine.start(id);
    return (await observed(node, name)).pid;
  };

  before(async () => {
    node = await openNetworkNode();
    owner = await startOn(node, 'owner');
  });
  after(() => node.close());

  it('is shared, loopback and all, also by way of a third one', async () => {
    const [second, third] = [await start('second', 'owner'), await start('third', 'second')];
    for (const pid of [second, third]) assert.equal(await namespaceOf(pid), await namespaceOf(owner.pid));
    assert.deepEqual((await node.engine.observe('default/second' as Started['name']))?.addresses, undefined, 'it has none of its own');
    assert.deepEqual(await driftOf(node, 'default/third' as Started['name']), []);
  });

  it('is left by an owner that is started anew, which those who share it are told of', async () => {
    node.events.length = 0;
    await node.engine.kill(owner.id);
    await until('it has ended', async () => (await node.engine.observe(owner.name))?.process.state === 'Exited');
    assert.deepEqual(await driftOf(node, 'default/second' as Started['name']), [], 'while nobody has it, there is no better place');
    await node.engine.start(owner.id);
    owner = await observed(node, 'owner');
    for (const name of ['second', 'third'] as const) {
      const told = await until('it is told', () => node.events.find((event) => event.name === `default/${name}` && event.reason === 'NetworkChanged'));
      assert.deepEqual((await driftOf(node, told.name))[0]?.split(':')[0], 'NetworkNamespace');
      await node.engine.kill(told.id);
      await until('it has ended', async () => (await node.engine.observe(told.name))?.process.state === 'Exited');
      await node.engine.start(told.id);
      assert.equal(await namespaceOf((await observed(node, name)).pid), await namespaceOf(owner.pid));
      assert.deepEqual(await driftOf(node, told.name), []);
    }
  });

  it('is waited for while nobody has it, and never shared in a loop', async () => {
    const late = await node.engine.create(containerOf('late', { command: ['sleep', 'infinity'], ...sharing('early') }), 'hash');
    await assert.rejects(node.engine.start(late), { code: 'Unavailable', message: 'container default/late shares the network of container default/early, which is not there' });
    await assert.rejects(node.engine.create(containerOf('early', sharing('late')), 'hash'), { code: 'Conflict', message: "container default/early can't share a network in a loop: default/early → default/late → default/early" });
    const early = await node.engine.create(containerOf('early', { command: ['sleep', 'infinity'] }), 'hash');
    await assert.rejects(node.engine.start(late), { code: 'Unavailable', message: /default\/early, which does not run$/ });
    await node.engine.start(early);
    await node.engine.start(late);
    assert.equal(await namespaceOf((await observed(node, 'late')).pid), await namespaceOf((await observed(node, 'early')).pid));
  });
});

describe('networks on a link of the node', () => {
  let node: TestNode;
  let first: Started;
  let second: Started;
  const tag = randomBytes(3).toString('hex');
  const parent = `mo${tag}p`;
  const beyond = { netns: `mooring-lan-${tag}` };
  const servers = new DisposableStack();

  before(async () => {
    node = await openNetworkNode();
    // A LAN that the node is on by a link, with another host on it.
    await run('sh', ['-ec', `ip netns add ${beyond.netns}; ip link add ${parent} type veth peer name eth0 netns ${beyond.netns}; ip link set ${parent} up; ip -n ${beyond.netns} link set eth0 up; ip -n ${beyond.netns} addr add 10.213.0.1/24 dev eth0; ip -n ${beyond.netns} -6 addr add fd00:213::1/64 dev eth0 nodad`]);
    await node.engine.networks.ensure(networkOf('lan', { driver: 'Macvlan', parent, subnets: [{ cidr: '10.213.0.0/24', ipRange: '10.213.0.64/26' }, { cidr: 'fd00:213::/64' }] }));
    const network = { mode: 'Bridge', networks: [{ name: 'lan' }] };
    first = await startOn(node, 'first', [], { network });
    second = await startOn(node, 'second', [], { network: { ...network, networks: [{ name: 'lan', macAddress: '02:00:00:00:21:03' }, { name: 'default' }] } });
    await Promise.all([serve(servers, first, PORT), serve(servers, beyond, PORT)]);
  });
  after(async () => {
    servers.dispose();
    await node.close();
    await run('ip', ['netns', 'del', beyond.netns]);
  });

  it('make containers hosts of that network, with addresses of it, by which they reach it and are reached', async () => {
    assert.deepEqual([first.v4, second.v4], ['10.213.0.64', '10.213.0.65']);
    const lan = { v4: '10.213.0.1', v6: 'fd00:213::1' };
    const out = await ask(second, `tcp://${lan.v4}:${PORT}`, `udp://[${lan.v6}]:${PORT}`, `tcp://${first.v4}:${PORT}`);
    assert.deepEqual(Object.values(out), [second.v4, second.v6, second.v4]);
    assert.deepEqual(Object.values(await ask(beyond, `tcp://${first.v4}:${PORT}`, `udp://[${first.v6}]:${PORT}`)), [lan.v4, lan.v6]);
    assert.match((await enter(second, 'ip', '-d', 'link', 'show', 'eth0')).stdout, /02:00:00:00:21:03[\s\S]*macvlan mode bridge/);
    assert.match((await enter(second, 'ip', '-4', 'route', 'show', 'default')).stdout, /^default via 10\.213\.0\.1 dev eth0/);
    assert.equal((await addressesOn(second, 'eth1')).length, 2);
  });

  for (const [of, script, found] of [
    ['a deleted interface', 'ip link del eth0', 'eth0 is gone'],
    ['a lost address', 'ip -4 addr flush dev eth0', 'eth0 has lost 10.213.0.64'],
    ['an address that is not its own', 'ip addr add 10.213.0.99/24 dev eth0', "eth0 has 10.213.0.99, which is another's"],
    ['another hardware address', 'ip link set eth0 address 02:00:00:00:66:66', 'eth0 has MAC address 02:00:00:00:66:66, want 02:6d:0a:d5:00:40'],
  ] as const) {
    it(`tell ${of} by themselves, and mend it in place`, async () => {
      node.events.length = 0;
      await enter(first, 'sh', '-ec', script);
      await until('it is told', () => node.events.some(({ id, reason }) => id === first.id && reason === 'NetworkChanged'));
      assert.ok((await driftOf(node, first.name)).includes(`Network: ${found}`), String(await driftOf(node, first.name)));
      await restoreNetwork(node, first.name);
      assert.deepEqual(await driftOf(node, first.name), []);
      assert.deepEqual(Object.values(await ask(beyond, `tcp://${first.v4}:${PORT}`)), ['10.213.0.1']);
    });
  }

  it('say what this kernel or this driver can not do', async () => {
    const ipvlan = node.engine.networks.ensure(networkOf('thin', { driver: 'Ipvlan', parent }));
    const can = await ipvlan.then(() => true, (error: unknown) => {
      assert.match(String(error), /network default\/thin: this kernel has no ipvlan/);
      return false;
    });
    if (can) await node.engine.networks.remove('default/thin' as NetworkName);
    const network = { mode: 'Bridge', networks: [{ name: 'lan' }], bandwidth: { ingress: '1M' } };
    await assert.rejects(node.engine.create(containerOf('slow', { network }), 'hash'), { code: 'Unsupported', message: /what it receives on network default\/lan can't be limited/ });
  });

  it('leave nothing on the node', async () => {
    for (const each of [first, second]) await removeContainer(node, each);
    assert.deepEqual(await tracesOf(node), []);
    await node.engine.networks.remove('default/lan' as NetworkName);
    assert.ok((await run('ip', ['-br', 'link', 'show', parent])).stdout.includes('UP'), 'the parent is the node’s');
  });
});
