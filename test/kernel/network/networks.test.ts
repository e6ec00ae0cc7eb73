import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';

import { bridgeName } from '../../../src/engine/network/network-names.ts';
import type { NetworkName } from '../../../src/spec/name.ts';
import { until } from '../../support/until.ts';
import { containerOf, type TestNode } from '../engine/support.ts';
import { addressesOn, ask, driftOf, enter, makeOutside, networkOf, observed, openNetworkNode, type Outside, removeContainer, restoreNetwork, run, serve, type Started, startOn, tracesOf } from './support.ts';

const PORT = 8080;
const OPEN = 28_300;

const both = (...hosts: readonly string[]): string[] => hosts.flatMap((host) => [`tcp://${host}`, `udp://${host}`]);
const on = (...networks: readonly (string | Record<string, unknown>)[]) => ({ network: { mode: 'Bridge', networks: networks.map((network) => (typeof network === 'string' ? { name: network } : network)) } });

describe('networks that somebody defined', () => {
  let node: TestNode;
  let outside: Outside;
  let blue: Started;
  let peer: Started;
  let red: Started;
  let shut: Started;
  const servers = new DisposableStack();

  before(async () => {
    [node, outside] = await Promise.all([openNetworkNode(), makeOutside()]);
    const { networks } = node.engine;
    await networks.ensure(networkOf('blue', { subnets: [{ cidr: '10.211.7.0/24', gateway: '10.211.7.254', ipRange: '10.211.7.128/25' }, { cidr: 'fd00:211:7::/64' }], mtu: 1380 }));
    await networks.ensure(networkOf('red'));
    await networks.ensure(networkOf('shut', { internal: true }));
    blue = await startOn(node, 'blue', [{ containerPort: PORT, hostPort: OPEN }, { containerPort: PORT, protocol: 'UDP', hostPort: OPEN }], on('blue'));
    peer = await startOn(node, 'peer', [], on('blue', 'shut'));
    red = await startOn(node, 'red', [], on('red'));
    shut = await startOn(node, 'shut', [], on('shut'));
    await Promise.all([serve(servers, blue, PORT), serve(servers, red, PORT), serve(servers, shut, PORT), serve(servers, outside.place, PORT), serve(servers, 'node', PORT + 9)]);
  });

  after(async () => {
    servers.dispose();
    await Promise.all([node.close(), outside[Symbol.asyncDispose]()]);
  });

  it('have the subnets that were asked for, or such as are free, and a bridge each', async () => {
    const state = await node.engine.networks.inspect('default/blue' as NetworkName);
    assert.deepEqual([state?.subnets, state?.gateways, state?.link, state?.faults], [['10.211.7.0/24', 'fd00:211:7::/64'], ['10.211.7.254', 'fd00:211:7::1'], bridgeName(node.instance, 'default/blue'), []]);
    assert.deepEqual(state?.containers.map(({ name }) => name).toSorted(), ['default/blue', 'default/peer']);
    assert.deepEqual([blue.v4, blue.v6], ['10.211.7.128', 'fd00:211:7::2'], 'the first of the range');
    const [bridge] = JSON.parse((await run('ip', ['-j', 'link', 'show', state?.link ?? ''])).stdout) as { readonly mtu: number; readonly ifalias: string }[];
    assert.deepEqual([bridge?.mtu, bridge?.ifalias], [1380, `Mooring's bridge of network default/blue of instance ${node.instance}`]);
    assert.match((await enter(blue, 'ip', 'link', 'show', 'eth0')).stdout, /mtu 1380/);
    assert.match((await enter(red, 'ip', '-4', 'route')).stdout, /^default via 172\.\S+ dev eth0/);
  });

  it('let their own containers reach each other, as themselves', async () => {
    const answers = await ask(peer, ...both(`${blue.v4}:${PORT}`, `[${blue.v6}]:${PORT}`));
    assert.deepEqual(Object.values(answers), [peer.v4, peer.v4, peer.v6, peer.v6]);
  });

  it('may go while only a container that does not run is on them; it starts once they are there again', async () => {
    const { networks } = node.engine;
    const passing = 'default/passing' as NetworkName;
    await networks.ensure(networkOf('passing'));
    const idle = await startOn(node, 'idle', [], on('passing', 'red'));
    assert.throws(() => networks.vacate(passing), { code: 'Conflict', message: 'network default/passing is that of container default/idle' });
    await node.engine.kill(idle.id);
    await until('it has ended', async () => (await node.engine.observe(idle.name))?.process.state === 'Exited');
    networks.vacate(passing);
    await networks.remove(passing);
    assert.equal(await networks.inspect(passing), undefined);
    await assert.rejects(node.engine.start(idle.id), { code: 'NotFound', message: 'container default/idle: there is no network default/passing' });
    await networks.ensure(networkOf('passing'));
    await node.engine.start(idle.id);
    const again = await observed(node, 'idle');
    for (const [link, network] of [['eth0', 'default/passing'], ['eth1', 'default/red']] as const) {
      const member = (await networks.inspect(network as NetworkName))?.containers.find(({ name }) => name === idle.name);
      assert.deepEqual(await addressesOn(again, link), member?.addresses, link);
    }
    await removeContainer(node, again);
    await networks.remove(passing);
  });

  it('are apart from each other, both ways, and from the outside; the node reaches all', async () => {
    const toBlue = both(`${blue.v4}:${PORT}`, `[${blue.v6}]:${PORT}`);
    const toRed = both(`${red.v4}:${PORT}`, `[${red.v6}]:${PORT}`);
    const [fromRed, fromBlue, fromOutside, fromNode] = await Promise.all([ask(red, ...toBlue), ask(blue, ...toRed), ask(outside.place, ...toBlue, ...toRed), ask('node', ...toBlue, ...toRed)]);
    for (const answers of [fromRed, fromBlue, fromOutside]) assert.deepEqual(new Set(Object.values(answers)), new Set(['none']));
    assert.ok(!Object.values(fromNode).includes('none'), JSON.stringify(fromNode));
  });

  it('lead out as the node, and to published ports of each other, with the source kept', async () => {
    const out = await ask(red, ...both(`${outside.v4}:${PORT}`, `[${outside.v6}]:${PORT}`));
    assert.deepEqual(Object.values(out), [outside.node.v4, outside.node.v4, outside.node.v6, outside.node.v6]);
    const published = both(`${outside.node.v4}:${OPEN}`, `[${outside.node.v6}]:${OPEN}`);
    const [fromRed, fromOutside, fromPeer, fromItself] = await Promise.all([ask(red, ...published), ask(outside.place, ...published), ask(peer, ...published), ask(blue, ...published)]);
    assert.deepEqual(Object.values(fromRed), [red.v4, red.v4, red.v6, red.v6]);
    assert.deepEqual(Object.values(fromOutside), [outside.v4, outside.v4, outside.v6, outside.v6]);
    for (const answers of [fromPeer, fromItself]) assert.ok(!Object.values(answers).includes('none'), JSON.stringify(answers));
  });

  it('are shut when internal: no way out, none to others, none in but from the node', async () => {
    assert.ok(!(await enter(shut, 'ip', 'route')).stdout.includes('default'));
    // Also with a route that it should not have.
    const [gateway = ''] = ((await node.engine.networks.inspect('default/shut' as NetworkName))?.gateways ?? []).filter((each) => !each.includes(':'));
    await enter(shut, 'ip', 'route', 'add', 'default', 'via', gateway);
    const targets = [...both(`${outside.v4}:${PORT}`, `${outside.node.v4}:${OPEN}`, `${red.v4}:${PORT}`), ...both(`${outside.node.v4}:${PORT + 9}`)];
    const answers = await ask(shut, ...targets);
    assert.deepEqual(new Set(Object.values(answers)), new Set(['none']), JSON.stringify(answers));
    await until('the route is told', async () => (await driftOf(node, shut.name)).some((each) => each.includes('has a default route by')));
    await restoreNetwork(node, shut.name);
    const fromPeer = await ask(peer, ...both(`${shut.v4}:${PORT}`, `[${shut.v6}]:${PORT}`));
    assert.ok(!Object.values(fromPeer).includes('none'), 'a container on two networks reaches both');
    const fromNode = await ask('node', `tcp://${shut.v4}:${PORT}`);
    assert.ok(!Object.values(fromNode).includes('none'));
    const refused = containerOf('open', { ...on('shut'), ports: [{ containerPort: 1, hostPort: OPEN + 9 }] });
    await assert.rejects(node.engine.create(refused, 'hash'), { code: 'Invalid', message: /publishes ports, and is on no network that the node leads to$/ });
  });

  it('keep a port that is published on loopback for the node, also against spoofing from their containers (CVE-2020-8558)', async () => {
    using own = new DisposableStack();
    const local = await startOn(node, 'local', [{ containerPort: PORT, hostPort: OPEN + 1, hostIP: '127.0.0.1' }], on('blue'));
    await Promise.all([serve(own, local, PORT), serve(own, 'node', OPEN + 2)]);
    for (const place of [peer, red]) {
      // The spoofer's own loopback must not get in the way: 127.0.0.1 is by the gateway for it.
      await enter(place, 'sh', '-ec', 'ip addr del 127.0.0.1/8 dev lo; ip route add 127.0.0.1/32 via "$(ip -4 route show default | cut -d" " -f3)" dev eth0; sysctl -qw net.ipv4.conf.eth0.route_localnet=1 net.ipv4.conf.all.route_localnet=1');
      const answers = await ask(place, `tcp://127.0.0.1:${OPEN + 1}`, ...both(`127.0.0.1:${OPEN + 2}`));
      assert.deepEqual(new Set(Object.values(answers)), new Set(['none']), place.name);
      await enter(place, 'sh', '-ec', 'ip route del 127.0.0.1/32; ip addr add 127.0.0.1/8 dev lo');
    }
    assert.notEqual(Object.values(await ask('node', `tcp://127.0.0.1:${OPEN + 1}`))[0], 'none');
    await removeContainer(node, local);
  });

  it('are left and joined while a container runs, which keeps what it has of the others', async () => {
    const moving = await startOn(node, 'moving', [], on('red'));
    await restoreNetwork(node, moving.name, containerOf('moving', { command: ['sleep', 'infinity'], ...on('red', { name: 'blue', ipv4Address: '10.211.7.77', macAddress: '02:00:00:00:77:77' }) }));
    assert.deepEqual(await driftOf(node, moving.name), []);
    assert.deepEqual((await addressesOn(moving, 'eth1')).toSorted()[0], '10.211.7.77');
    assert.match((await enter(moving, 'ip', 'link', 'show', 'eth1')).stdout, /link\/ether 02:00:00:00:77:77/);
    assert.equal((await enter(moving, 'ip', '-4', 'route', 'show', 'default')).stdout.trim().split('\n').length, 1, 'one way out, by the first');
    const answers = await ask(moving, `tcp://${blue.v4}:${PORT}`, `tcp://${red.v4}:${PORT}`);
    assert.deepEqual(Object.values(answers), ['10.211.7.77', moving.v4]);

    await restoreNetwork(node, moving.name, containerOf('moving', { command: ['sleep', 'infinity'], ...on('blue') }));
    assert.deepEqual(await driftOf(node, moving.name), []);
    await assert.rejects(enter(moving, 'ip', 'link', 'show', 'eth0'), 'the interface on red is gone');
    assert.match((await enter(moving, 'ip', '-4', 'route', 'show', 'default')).stdout, /^default via 10\.211\.7\.254 dev eth1/);
    const left = await ask(moving, `tcp://${blue.v4}:${PORT}`, `tcp://${red.v4}:${PORT}`);
    assert.deepEqual([left[`tcp://${blue.v4}:${PORT}`] !== 'none', left[`tcp://${red.v4}:${PORT}`]], [true, 'none']);

    await enter(moving, 'ip', 'link', 'del', 'eth1');
    await until('drift of a later interface is found', async () => (await driftOf(node, moving.name)).includes('Network: eth1 is gone'));
    await restoreNetwork(node, moving.name);
    await removeContainer(node, moving);
  });

  it('refuse what can not be, before anything is made, naming who is in the way', async () => {
    const { networks } = node.engine;
    const make = (name: string, network: Record<string, unknown>) => node.engine.create(containerOf(name, { network }), 'hash');
    const mode = 'Bridge';
    const refusals: readonly [() => Promise<unknown>, string, RegExp][] = [
      [() => networks.ensure(networkOf('over', { subnets: [{ cidr: '10.211.0.0/16' }] })), 'Conflict', /^network default\/over: subnet 10\.211\.0\.0\/16 overlaps 10\.211\.7\.0\/24 of network default\/blue$/],
      [() => networks.ensure(networkOf('over', { subnets: [{ cidr: '198.18.0.0/16' }] })), 'Conflict', /overlaps 198\.18\.\d+\.\d+\/\d+, which this node reaches by mo\w+$/],
      [() => networks.ensure(networkOf('red', { internal: true })), 'Conflict', /^network default\/red: spec\.internal can't be changed/],
      [() => networks.ensure(networkOf('vlan', { driver: 'Macvlan', parent: 'not-there' })), 'NotFound', /parent not-there is no link of this node$/],
      [() => networks.remove('default/red' as NetworkName), 'Conflict', /^network default\/red is that of container default\/red$/],
      [() => make('lost', { mode, networks: [{ name: 'nowhere' }] }), 'NotFound', /^container default\/lost: there is no network default\/nowhere$/],
      [() => make('odd', { mode, networks: [{ name: 'blue', ipv4Address: '10.9.9.9' }] }), 'Invalid', /can't have 10\.9\.9\.9 on network default\/blue, which is 10\.211\.7\.0\/24$/],
      [() => make('odd', { mode, networks: [{ name: 'blue', ipv4Address: '10.211.7.254' }] }), 'Conflict', /it is the gateway's$/],
      [() => make('odd', { mode, networks: [{ name: 'blue', ipv4Address: '10.211.7.255' }] }), 'Invalid', /it is no address of a host there$/],
      [() => make('odd', { mode, networks: [{ name: 'blue', ipv4Address: blue.v4 }] }), 'Conflict', /address 10\.211\.7\.128 on network default\/blue is that of container default\/blue$/],
      [() => make('odd', { mode, networks: [{ name: 'blue', ipv6Address: blue.v6 }] }), 'Conflict', /is that of container default\/blue$/],
      [() => make('odd', { mode, networks: [{ name: 'blue', macAddress: '02:6d:0a:d3:07:80' }] }), 'Conflict', /MAC address 02:6d:0a:d3:07:80 on network default\/blue is that of container default\/blue$/],
      [() => make('narcissus', { mode: 'Container', container: 'narcissus' }), 'Conflict', /can't share a network in a loop: default\/narcissus → default\/narcissus$/],
    ];
    for (const [attempt, code, message] of refusals) await assert.rejects(attempt(), { code, message });
    assert.deepEqual(networks.list(), ['default/blue', 'default/red', 'default/shut']);
  });

  it('outlive the daemon, and go with their last container but for the record', async () => {
    await node.restart();
    await node.engine.adopt();
    assert.deepEqual(await driftOf(node, peer.name), []);
    for (const each of [blue, peer, red, shut]) await removeContainer(node, each);
    assert.deepEqual(await tracesOf(node), []);
    for (const network of node.engine.networks.list()) await node.engine.networks.remove(network);
    assert.deepEqual(node.engine.networks.list(), []);
  });
});
