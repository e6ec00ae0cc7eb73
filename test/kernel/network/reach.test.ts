import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, describe, it } from 'node:test';

import { bridgeName, tableName } from '../../../src/engine/network/network-names.ts';
import type { TestNode } from '../engine/support.ts';
import { ask, enter, makeOutside, openNetworkNode, type Outside, removeContainer, run, serve, type Started, startOn, tracesOf } from './support.ts';

/** Port in the containers, and those of the node that lead there: on all addresses, and on loopback only. */
const PORT = 8080;
const OPEN = 28_080;
const LOCAL = 28_081;

/** A target in each protocol. */
const both = (...hosts: readonly string[]): string[] => hosts.flatMap((host) => [`tcp://${host}`, `udp://${host}`]);

describe('on the bridge', () => {
  let node: TestNode;
  let other: TestNode;
  let outside: Outside;
  let web: Started;
  let peer: Started;
  let stranger: Started;
  const servers = new DisposableStack();
  const published = ['TCP', 'UDP'].flatMap((protocol, n) => [
    { containerPort: PORT, protocol, hostPort: OPEN },
    // A container's port is published once: the second way in leads to a port of its own.
    { containerPort: PORT + 1, protocol, hostPort: LOCAL + n, hostIP: '127.0.0.1' },
  ]);

  before(async () => {
    [node, other, outside] = await Promise.all([openNetworkNode(), openNetworkNode(), makeOutside()]);
    web = await startOn(node, 'web', published);
    peer = await startOn(node, 'peer');
    stranger = await startOn(other, 'stranger');
    await Promise.all([serve(servers, web, PORT), serve(servers, web, PORT + 1), serve(servers, peer, PORT), serve(servers, outside.place, PORT)]);
  });

  after(async () => {
    servers.dispose();
    await Promise.all([node.close(), other.close(), outside[Symbol.asyncDispose]()]);
  });

  it('containers reach one another by address, TCP and UDP, IPv4 and IPv6, as themselves', async () => {
    const answers = await ask(peer, ...both(`${web.v4}:${PORT}`, `[${web.v6}]:${PORT}`));
    assert.deepEqual(Object.values(answers), [peer.v4, peer.v4, peer.v6, peer.v6]);
    await enter(peer, 'busybox', 'ping', '-c', '1', '-W', '2', web.v4);
  });

  it('the node reaches containers, and they reach the node', async () => {
    const [gateway] = (await enter(web, 'ip', '-4', 'route', 'show', 'default')).stdout.match(/[\d.]+/) ?? [];
    const answers = await ask('node', ...both(`${web.v4}:${PORT}`, `[${web.v6}]:${PORT}`));
    assert.equal(answers[`tcp://${web.v4}:${PORT}`], gateway);
    assert.ok(!Object.values(answers).includes('none'), JSON.stringify(answers));
    await enter(web, 'busybox', 'ping', '-c', '1', '-W', '2', gateway ?? '');
  });

  it('containers reach the outside as the node', async () => {
    const answers = await ask(web, ...both(`${outside.v4}:${PORT}`, `[${outside.v6}]:${PORT}`));
    assert.deepEqual(Object.values(answers), [outside.node.v4, outside.node.v4, outside.node.v6, outside.node.v6]);
  });

  it('nobody beyond reaches a container by its own address', async () => {
    const targets = both(`${web.v4}:${PORT}`, `[${web.v6}]:${PORT}`);
    for (const place of [outside.place, stranger]) {
      assert.deepEqual(new Set(Object.values(await ask(place, ...targets))), new Set(['none']), JSON.stringify(place));
    }
  });

  it('a published port is reached from the outside, which is seen as who it is', async () => {
    const answers = await ask(outside.place, ...both(`${outside.node.v4}:${OPEN}`, `[${outside.node.v6}]:${OPEN}`));
    assert.deepEqual(Object.values(answers), [outside.v4, outside.v4, outside.v6, outside.v6]);
  });

  it('a published port is reached from the node by loopback and by its addresses', async () => {
    const [gateway = ''] = (await enter(web, 'ip', '-4', 'route', 'show', 'default')).stdout.match(/[\d.]+/) ?? [];
    const answers = await ask('node', ...both(`127.0.0.1:${OPEN}`, `${gateway}:${OPEN}`, `${outside.node.v4}:${OPEN}`, `[${outside.node.v6}]:${OPEN}`), `tcp://127.0.0.1:${LOCAL}`, `udp://127.0.0.1:${LOCAL + 1}`);
    assert.ok(!Object.values(answers).includes('none'), JSON.stringify(answers));
  });

  it('a published port is reached from containers: of the same network, of another, and from the very one', async () => {
    for (const place of [peer, stranger, web]) {
      const answers = await ask(place, ...both(`${outside.node.v4}:${OPEN}`, `[${outside.node.v6}]:${OPEN}`));
      assert.ok(!Object.values(answers).includes('none'), `${place.name} ${JSON.stringify(answers)}`);
    }
  });

  it('a port published on loopback is for the node only, also against spoofing from a container or the outside (CVE-2020-8558)', async () => {
    const targets = [`tcp://${outside.node.v4}:${LOCAL}`, `udp://${outside.node.v4}:${LOCAL + 1}`];
    assert.deepEqual(Object.values(await ask(outside.place, ...targets)), ['none', 'none']);
    // A listener of the node's own on its loopback, beside the published port: packets for 127.0.0.1 that come in by a wire must reach neither.
    using own = new DisposableStack();
    await serve(own, 'node', LOCAL + 7);
    for (const place of [outside.place, peer]) {
      // The spoofer's own loopback must not get in the way: 127.0.0.1 is by the gateway for it.
      const script = 'ip addr del 127.0.0.1/8 dev lo; ip route add 127.0.0.1/32 via "$(ip -4 route show default | cut -d" " -f3)" dev eth0; sysctl -qw net.ipv4.conf.eth0.route_localnet=1 net.ipv4.conf.all.route_localnet=1';
      await enter(place, 'sh', '-ec', script);
      const answers = await ask(place, `tcp://127.0.0.1:${LOCAL}`, `udp://127.0.0.1:${LOCAL + 1}`, ...both(`127.0.0.1:${LOCAL + 7}`));
      assert.deepEqual(new Set(Object.values(answers)), new Set(['none']), JSON.stringify(place));
      await enter(place, 'sh', '-ec', 'ip route del 127.0.0.1/32; ip addr add 127.0.0.1/8 dev lo');
    }
  });

  it('a container sees its own names, and its counters are told', async () => {
    const hosts = await readFile(`/proc/${web.pid}/root/etc/hosts`, 'utf8');
    assert.ok(hosts.includes(`${web.v4}\tweb\n`) && hosts.includes(`${web.v6}\tweb\n`), hosts);
    assert.equal(await readFile(`/proc/${web.pid}/root/etc/hostname`, 'utf8'), 'web\n');
    assert.match(await readFile(`/proc/${web.pid}/root/etc/resolv.conf`, 'utf8'), /^(nameserver|#|search|options)/m);
    const [line = ''] = (await readFile(`/proc/${web.pid}/net/dev`, 'utf8')).split('\n').filter((each) => each.includes('eth0:'));
    const stats = (await node.engine.stats()).find(({ id }) => id === web.id)?.network;
    assert.deepEqual(stats?.map((each) => each.interface), ['eth0']);
    assert.ok((stats?.[0]?.receiveBytes ?? 0) > 1_000 && Number(line.trim().split(/\s+/)[1]) >= (stats?.[0]?.receiveBytes ?? 0));
  });

  it('the rules are one table, whose maps alone grow with containers', async () => {
    const table = async (): Promise<string> => (await run('nft', ['list', 'table', 'inet', tableName(node.instance)])).stdout;
    const rules = (text: string): string => text.replace(/\n\t\telements = \{[^}]*\}/g, '');
    const alone = await table();
    const more = [await startOn(node, 'more', [{ containerPort: 1, hostPort: OPEN + 20 }]), await startOn(node, 'most', [{ containerPort: 1, hostPort: OPEN + 21 }])];
    const grown = await table();
    assert.ok(grown.includes(`tcp . ${OPEN + 20} : ${more[0]?.v4} . 1`));
    assert.equal(rules(grown), rules(alone));
    for (const each of more) await removeContainer(node, each);
    assert.equal(await table(), alone);
  });

  it('with the last container everything of it goes', async () => {
    assert.ok((await tracesOf(other)).includes(`link ${bridgeName(other.instance)}`));
    await removeContainer(other, stranger);
    assert.deepEqual(await tracesOf(other), []);
  });
});
