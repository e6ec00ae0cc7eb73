import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';

import { tableName } from '../../../src/engine/network/network-names.ts';
import { until } from '../../support/until.ts';
import { containerOf, type TestNode } from '../engine/support.ts';
import { ask, driftOf, enter, makeOutside, networkOf, openNetworkNode, type Outside, removeContainer, restoreNetwork, run, serve, startOn, tracesOf } from './support.ts';

const PORT = 8080;
const OPEN = 28_500;

describe('published ports', () => {
  let node: TestNode;
  let outside: Outside;
  before(async () => {
    [node, outside] = await Promise.all([openNetworkNode(), makeOutside()]);
  });
  after(async () => {
    await Promise.all([node.close(), outside[Symbol.asyncDispose]()]);
  });

  it('come in ranges, whose ports lead to as many in a row, several may lead to one, and they change while the container runs', async () => {
    using servers = new DisposableStack();
    const ports = [{ containerPort: PORT, endPort: PORT + 9, hostPort: OPEN }, { containerPort: PORT, hostPort: OPEN + 10 }, { containerPort: PORT, endPort: PORT + 9, hostPort: OPEN, protocol: 'UDP' }];
    const web = await startOn(node, 'web', ports);
    await Promise.all([0, 9].map((n) => serve(servers, web, PORT + n)));
    const hosts = [`${outside.node.v4}:${OPEN}`, `${outside.node.v4}:${OPEN + 9}`, `[${outside.node.v6}]:${OPEN + 9}`].flatMap((host) => [`tcp://${host}`, `udp://${host}`]);
    const answers = await ask(outside.place, ...hosts, `tcp://${outside.node.v4}:${OPEN + 10}`);
    assert.ok(!Object.values(answers).includes('none'), JSON.stringify(answers));
    for (const [port, taken] of [
      [{ containerPort: 1, hostPort: OPEN + 9 }, `${OPEN + 9}/tcp`],
      [{ containerPort: 1, endPort: 30, hostPort: OPEN - 20 }, `${OPEN}/tcp`],
      [{ containerPort: 1, hostPort: OPEN + 4, hostIP: '127.0.0.1', protocol: 'UDP' }, `127.0.0.1:${OPEN + 4}/udp`],
    ] as const) {
      await assert.rejects(node.engine.create(containerOf('late', { network: { mode: 'Bridge' }, ports: [port] }), 'hash'), { code: 'Conflict', message: `container default/late: port ${taken} of the node is published by container default/web` });
    }
    const table = async (): Promise<string> => (await run('nft', ['list', 'table', 'inet', tableName(node.instance)])).stdout;
    await restoreNetwork(node, web.name, containerOf('web', { command: ['sleep', 'infinity'], network: { mode: 'Bridge' }, ports: [{ containerPort: PORT, hostPort: OPEN + 20 }] }));
    assert.deepEqual((await table()).match(/tcp \. \d+ : [\d.]+/g), [`tcp . ${OPEN + 20} : ${web.v4}`]);
    const moved = await ask(outside.place, `tcp://${outside.node.v4}:${OPEN}`, `tcp://${outside.node.v4}:${OPEN + 20}`);
    assert.deepEqual(Object.values(moved), ['none', outside.v4]);
    await removeContainer(node, web);
  });

  it('lead UDP to their new place at once, though the sender goes on from the same port', async () => {
    using servers = new DisposableStack();
    const ports = [{ containerPort: PORT, hostPort: OPEN + 30, protocol: 'UDP' }];
    const client = createSocket('udp4');
    const said = async (): Promise<string> => {
      const answer = once(client, 'message', { signal: AbortSignal.timeout(400) });
      client.send('?', OPEN + 30, outside.node.v4);
      return String(((await answer) as [Buffer])[0]);
    };
    try {
      const first = await startOn(node, 'first', ports);
      await serve(servers, first, PORT);
      await until('the first answers', said);
      await removeContainer(node, first);
      await assert.rejects(said());
      const second = await startOn(node, 'second', ports);
      assert.notEqual(second.v4, first.v4);
      await serve(servers, second, PORT);
      await until('the second answers', said, 5);
      await removeContainer(node, second);
    } finally {
      client.close();
    }
  });

  it('lead SCTP, too, with the source kept', async () => {
    const sctp = path.join(import.meta.dirname, 'sctp.py');
    const web = await startOn(node, 'web', [{ containerPort: 5060, hostPort: OPEN + 40, protocol: 'SCTP' }]);
    const listener = spawn('nsenter', ['--target', String(web.pid), '--net', 'python3', sctp, 'listen'], { stdio: ['ignore', 'pipe', 'inherit'] });
    const ended = once(listener, 'close');
    let heard = '';
    listener.stdout.on('data', (data) => (heard += String(data)));
    await once(listener.stdout, 'data');
    await enter(outside.place, 'python3', sctp, 'send', outside.node.v4, String(OPEN + 40));
    await ended;
    assert.equal(heard, `ready\n${outside.v4} 5060\n`);
    await removeContainer(node, web);
  });

  it('are on the network beside an internal one', async () => {
    using servers = new DisposableStack();
    await node.engine.networks.ensure(networkOf('shut', { internal: true }));
    const web = await startOn(node, 'web', [{ containerPort: PORT, hostPort: OPEN + 50 }], { network: { mode: 'Bridge', networks: [{ name: 'shut' }, { name: 'default' }] } });
    await serve(servers, web, PORT);
    assert.deepEqual(Object.values(await ask(outside.place, `tcp://${outside.node.v4}:${OPEN + 50}`)), [outside.v4]);
    assert.match((await enter(web, 'ip', '-4', 'route', 'show', 'default')).stdout, /dev eth1/);
    const stats = (await node.engine.stats()).find(({ id }) => id === web.id)?.network.map((each) => each.interface);
    assert.deepEqual(stats, ['eth0', 'eth1'], 'counted by interface');
    await removeContainer(node, web);
  });
});

describe('bandwidth', () => {
  let node: TestNode;
  before(async () => {
    node = await openNetworkNode();
  });
  after(() => node.close());
  const limited = (bandwidth: Record<string, unknown>) => ({ command: ['sleep', 'infinity'], network: { mode: 'Bridge', bandwidth } });

  it('is limited both ways, changed in place, mended when it is lost, and lifted', async () => {
    const web = await startOn(node, 'web', [], limited({ ingress: '10M', egress: '2M' }));
    const [inside] = JSON.parse((await enter(web, 'ip', '-j', 'link', 'show', 'eth0')).stdout) as { readonly link_index: number }[];
    const links = JSON.parse((await run('ip', ['-j', 'link'])).stdout) as { readonly ifindex: number; readonly ifname: string }[];
    const port = links.find(({ ifindex }) => ifindex === inside?.link_index)?.ifname ?? '';
    const rates = async (): Promise<(string | undefined)[]> => {
      const [sent, received] = await Promise.all([enter(web, 'tc', 'qdisc', 'show', 'dev', 'eth0'), run('tc', ['qdisc', 'show', 'dev', port])]);
      return [received, sent].map(({ stdout }) => /^qdisc tbf .* rate (\w+)/.exec(stdout)?.[1]);
    };
    assert.deepEqual([await rates(), await driftOf(node, web.name)], [['10Mbit', '2Mbit'], []]);
    await restoreNetwork(node, web.name, containerOf('web', limited({ ingress: '20M', egress: '5G' })));
    assert.deepEqual([await rates(), await driftOf(node, web.name)], [['20Mbit', '5Gbit'], []]);
    for (const [change, found] of [
      [() => run('tc', ['qdisc', 'del', 'dev', port, 'root']), 'Network: eth0 may receive without a limit, want 20000000'],
      [() => enter(web, 'tc', 'qdisc', 'replace', 'dev', 'eth0', 'root', 'tbf', 'rate', '8gbit', 'burst', '1mb', 'latency', '10ms'), 'Network: eth0 may send 8000000000 bits a second, want 5000000000'],
    ] as const) {
      node.events.length = 0;
      await change();
      await until('it is told', () => node.events.some(({ id, reason }) => id === web.id && reason === 'NetworkChanged'));
      assert.deepEqual(await driftOf(node, web.name), [found]);
      await restoreNetwork(node, web.name);
      assert.deepEqual([await rates(), await driftOf(node, web.name)], [['20Mbit', '5Gbit'], []]);
    }
    await restoreNetwork(node, web.name, containerOf('web', limited({})));
    assert.deepEqual([await rates(), await driftOf(node, web.name)], [[undefined, undefined], []]);
    await removeContainer(node, web);
    assert.deepEqual(await tracesOf(node), []);
  });
});
