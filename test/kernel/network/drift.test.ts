import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';

import { bridgeName, tableName } from '../../../src/engine/network/network-names.ts';
import { until } from '../../support/until.ts';
import type { TestNode } from '../engine/support.ts';
import { ask, driftOf, enter, observed, openNetworkNode, restoreNetwork, run, serve, type Started, startOn } from './support.ts';

const PORT = 8080;
const OPEN = 28_090;

describe('drift of the network', () => {
  let node: TestNode;
  let web: Started;
  let peer: Started;
  let bridge: string;
  let table: string;
  const servers = new DisposableStack();

  before(async () => {
    node = await openNetworkNode();
    bridge = bridgeName(node.instance);
    table = tableName(node.instance);
    web = await startOn(node, 'web', [{ containerPort: PORT, hostPort: OPEN }]);
    peer = await startOn(node, 'peer');
    await serve(servers, web, PORT);
  });
  beforeEach(async () => {
    // What the kernel still has to say about the changes before is no news of the next one.
    await until('it is quiet', async () => {
      node.events.length = 0;
      await new Promise((resolve) => setTimeout(resolve, 300));
      return node.events.length === 0;
    });
  });
  after(async () => {
    servers.dispose();
    await node.close();
  });

  /** The port of the bridge that the container hangs on. */
  async function portOf({ pid }: Started): Promise<string> {
    const [inside] = JSON.parse((await enter({ pid }, 'ip', '-j', 'link', 'show', 'eth0')).stdout) as { readonly link_index: number }[];
    const links = JSON.parse((await run('ip', ['-j', 'link'])).stdout) as { readonly ifindex: number; readonly ifname: string }[];
    return links.find(({ ifindex }) => ifindex === inside?.link_index)?.ifname ?? '';
  }

  async function isWhole(): Promise<void> {
    const answers = [await ask(peer, `tcp://${web.v4}:${PORT}`, `tcp://[${web.v6}]:${PORT}`), await ask('node', `tcp://127.0.0.1:${OPEN}`)];
    assert.ok(!JSON.stringify(answers).includes('none'), JSON.stringify(answers));
    assert.equal((await observed(node, 'web')).pid, web.pid);
    assert.equal((await observed(node, 'peer')).pid, peer.pid);
  }

  async function repair(): Promise<void> {
    for (const { name } of [web, peer]) {
      await restoreNetwork(node, name);
      await until(`${name} is whole`, async () => (await driftOf(node, name)).length === 0, 2);
    }
    await isWhole();
  }

  const inside = (script: string) => () => enter(web, 'sh', '-ec', script);
  const onNode = (script: () => string | Promise<string>) => async () => run('sh', ['-ec', await script()]);
  const cases: readonly { readonly of: string; readonly change: () => Promise<unknown>; readonly found: RegExp }[] = [
    { of: 'a deleted veth', change: onNode(async () => `ip link del ${await portOf(web)}`), found: /^Network: eth0 is gone$/ },
    { of: 'a veth deleted inside', change: inside('ip link del eth0'), found: /^Network: eth0 is gone$/ },
    { of: 'a lost address', change: inside('ip addr flush dev eth0 to 172.16.0.0/12'), found: /^Network: eth0 has lost 172\.\S+$/ },
    { of: 'a lost IPv6 address', change: inside('ip -6 addr flush dev eth0 scope global'), found: /^Network: eth0 has lost fd\S+$/ },
    { of: 'a lost route', change: inside('ip route del default'), found: /^Network: the default route by 172\.\S+ is gone$/ },
    { of: 'an interface that was taken down', change: inside('ip link set eth0 down'), found: /^Network: eth0 is down$/ },
    { of: 'a port that was taken out of the bridge', change: onNode(async () => `ip link set ${await portOf(web)} nomaster`), found: /^Network: mv\w+ is not a port of mr-\S+$/ },
    { of: 'a port that was taken down', change: onNode(async () => `ip link set ${await portOf(web)} down`), found: /^Network: mv\w+ is down$/ },
    { of: 'a deleted bridge', change: onNode(() => `ip link del ${bridge}`), found: /^Network: bridge mr-\S+ is gone$/ },
    { of: 'a bridge without its address', change: onNode(() => `ip -4 addr flush dev ${bridge}`), found: /^Network: bridge mr-\S+ has lost 172\.\S+$/ },
    { of: 'a bridge that was taken down', change: onNode(() => `ip link set ${bridge} down`), found: /^Network: bridge mr-\S+ is down$/ },
    { of: 'a deleted map entry', change: onNode(() => `nft delete element inet ${table} any4 '{ tcp . ${OPEN} }'`), found: new RegExp(`^Network: nftables table \\S+ has lost \\{ any4 tcp \\. ${OPEN} : 172\\.\\S+ \\. ${PORT} \\}$`) },
    { of: 'a foreign map entry', change: onNode(() => `nft add element inet ${table} any4 '{ tcp . 9 : 10.9.8.7 . 9 }'`), found: /^Network: nftables table \S+ has \{ any4 tcp \. 9 : 10\.9\.8\.7 \. 9 \}, which nobody asked for$/ },
    { of: 'a flushed chain', change: onNode(() => `nft flush chain inet ${table} publish`), found: /^Network: the chains and rules of nftables table inet \S+ were changed$/ },
    { of: 'an added rule', change: onNode(() => `nft insert rule inet ${table} forward drop`), found: /^Network: the chains and rules of nftables table inet \S+ were changed$/ },
    { of: 'a deleted table of the guard', change: onNode(() => `nft delete table bridge ${table}`), found: /^Network: nftables table bridge \S+ is gone$/ },
    { of: 'a port that is not guarded any more', change: onNode(async () => `nft delete element bridge ${table} ports '{ "${await portOf(web)}" }'`), found: /^Network: nftables table \S+ has lost \{ ports mv\w+ \}$/ },
    { of: 'an entry of the judged ports', change: onNode(() => `nft delete element inet ${table} judged '{ tcp . ${OPEN} }'`), found: new RegExp(`^Network: nftables table \\S+ has lost \\{ judged tcp \\. ${OPEN} \\}$`) },
    { of: 'another MTU', change: inside('ip link set eth0 mtu 1200'), found: /^Network: eth0 has an MTU of 1200, want \d+$/ },
    { of: 'a bridge with another MTU', change: onNode(() => `ip link set ${bridge} mtu 1280`), found: /^Network: bridge mr-\S+ has an MTU of 1280, want \d+$/ },
    { of: 'a deleted table', change: onNode(() => `nft delete table inet ${table}`), found: /^Network: nftables table inet \S+ is gone$/ },
  ];
  for (const { of, change, found } of cases) {
    it(`${of} is told by the kernel, named, and undone while the container runs`, async () => {
      await change();
      await until('the engine hears of it', () => node.events.some((event) => event.id === web.id && event.reason === 'NetworkChanged'), 5);
      // What is everybody's is looked at once for all, a moment later.
      await until('it is found', async () => (await driftOf(node, web.name)).some((each) => found.test(each)), 5);
      await repair();
    });
  }

  it('a kernel switch that nobody tells of is found by the next look', async () => {
    await run('sysctl', ['-qw', `net.ipv4.conf.${bridge}.route_localnet=0`]);
    await until('it is found', async () => (await driftOf(node, web.name)).some((each) => each.includes('route_localnet is off')));
    await repair();
  });

  it('an end is none, and the next run has the same addresses, and ports lead nowhere meanwhile', async () => {
    const entries = async (): Promise<boolean> => (await run('nft', ['list', 'table', 'inet', table])).stdout.includes(`tcp . ${OPEN}`);
    assert.ok(await entries());
    await node.engine.kill(web.id);
    await until('it has ended', async () => (await node.engine.observe(web.name))?.process.state === 'Exited');
    assert.ok(!(await entries()));
    assert.deepEqual(await driftOf(node, web.name), []);
    await node.engine.start(web.id);
    const again = await observed(node, 'web');
    assert.deepEqual([again.v4, again.v6], [web.v4, web.v6]);
    assert.ok(await entries());
    await serve(servers, again, PORT);
    assert.notEqual((await ask('node', `tcp://127.0.0.1:${OPEN}`))[`tcp://127.0.0.1:${OPEN}`], 'none');
  });
});
