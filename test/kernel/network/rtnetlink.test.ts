import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { closeSync, openSync } from 'node:fs';
import { after, describe, it } from 'node:test';
import { promisify } from 'node:util';

import { errnoOf, MooringError } from '../../../src/lib/errors.ts';
import { loadNative } from '../../../src/native/addon.ts';
import { deleteFlow, dumpFlows, flowsIn } from '../../../src/native/conntrack.ts';
import * as rtnetlink from '../../../src/native/rtnetlink.ts';
import { clearRate, dumpRates, ratesIn, setRate } from '../../../src/native/traffic-control.ts';
import { until } from '../../support/until.ts';

const native = loadNative();
const run = promisify(execFile);
const tag = randomBytes(3).toString('hex');
const bridge = `mt${tag}b`;
const veth = `mt${tag}v`;
const other = `mt${tag}o`;
const table = `mooring-test-${tag}`;

async function ip<T>(...words: string[]): Promise<T[]> {
  return JSON.parse((await run('ip', ['-j', '-d', ...words])).stdout) as T[];
}

async function only<T>(answer: Promise<{ readonly data: Buffer }[]>, parse: (data: Buffer) => T[]): Promise<T> {
  const [reply] = await answer;
  const [found] = parse(reply?.data ?? Buffer.alloc(0));
  assert.ok(found);
  return found;
}

describe('the network by netlink', () => {
  after(() => native.netlink(-1, [rtnetlink.deleteLink(bridge), rtnetlink.deleteLink(veth)]));

  it('is a bridge, and a veth with its other end in another namespace, as ip(8) sees it', async () => {
    await native.netlink(-1, [rtnetlink.createBridge(bridge, { mac: '02:00:00:00:00:01', mtu: 1400 }), rtnetlink.setAlias(bridge, 'for a test'), rtnetlink.setUp(bridge)]);
    const { index } = await only(native.netlink(-1, [rtnetlink.getLink(bridge)]), rtnetlink.linksIn);
    await native.netlink(-1, [rtnetlink.addAddress(index, Buffer.from([198, 18, 0, 1]), 24), rtnetlink.addAddress(index, Buffer.from([198, 18, 0, 1]), 24)]);
    const [seen] = await ip<Record<string, unknown> & { addr_info: { local: string; prefixlen: number }[] }>('addr', 'show', bridge);
    assert.deepEqual([seen?.['ifalias'], seen?.['mtu'], seen?.['address']], ['for a test', 1400, '02:00:00:00:00:01']);
    assert.deepEqual(seen?.addr_info.filter(({ local }) => local.includes('.')).map(({ local, prefixlen }) => `${local}/${prefixlen}`), ['198.18.0.1/24']);

    const namespace = await native.createNetworkNamespace();
    const peer = { namespace, name: 'eth0', mac: '02:00:00:00:00:02' };
    await native.netlink(namespace, [rtnetlink.createVeth({ name: veth, bridge: index, mtu: 1400, peer }), rtnetlink.setUp('lo', { inside: true }), rtnetlink.setUp('eth0', { inside: true })]);
    const port = await only(native.netlink(-1, [rtnetlink.getLink(veth)]), rtnetlink.linksIn);
    assert.deepEqual([port.master, port.up, port.kind], [index, true, 'veth']);
    const inside = await only(native.netlink(namespace, [rtnetlink.getLink('eth0', { inside: true })]), rtnetlink.linksIn);
    const gateway = Buffer.from([198, 18, 0, 1]);
    await native.netlink(namespace, [rtnetlink.addAddress(inside.index, Buffer.from([198, 18, 0, 2]), 24, { inside: true }), rtnetlink.addDefaultRoute(inside.index, gateway, { inside: true })]);
    const [links, addresses, routes] = await native.netlink(namespace, [rtnetlink.dumpLinks({ inside: true }), rtnetlink.dumpAddresses({ inside: true }), rtnetlink.dumpRoutes({ inside: true })]);
    assert.ok(links && addresses && routes);
    assert.deepEqual(rtnetlink.linksIn(links.data).map(({ name, up }) => [name, up]), [['lo', true], ['eth0', true]]);
    assert.ok(rtnetlink.addressesIn(addresses.data).some(({ address, prefix }) => rtnetlink.formatAddress(address) === '198.18.0.2' && prefix === 24));
    assert.ok(rtnetlink.routesIn(routes.data).some(({ destination, gateway: by }) => destination === undefined && by?.equals(gateway)));
    await run('busybox', ['ping', '-c', '1', '-W', '2', '198.18.0.2']);

    closeSync(namespace);
    await until('the veth goes with the namespace', async () => (await native.netlink(-1, [rtnetlink.getLink(veth)]))[0]?.errno === 'ENODEV');
  });

  it('has rates, links on links, and namespaces with ids', async () => {
    const namespace = await native.createNetworkNamespace();
    try {
      const { index } = await only(native.netlink(-1, [rtnetlink.getLink(bridge)]), rtnetlink.linksIn);
      for (const rate of [1_250_000, 2_500_000, 12_500_000_000]) {
        const [, dump] = await native.netlink(-1, [setRate(index, rate), dumpRates()]);
        assert.equal(ratesIn(dump?.data ?? Buffer.alloc(0)).get(index), rate);
      }
      await native.netlink(-1, [setRate(index, 1_250_000)]);
      assert.match((await run('tc', ['qdisc', 'show', 'dev', bridge])).stdout, /^qdisc tbf 1: root refcnt \d+ rate 10Mbit burst 64Kb lat 50\S*ms/);
      const [, , lifted] = await native.netlink(-1, [clearRate(index), clearRate(index), dumpRates()]);
      assert.equal(ratesIn(lifted?.data ?? Buffer.alloc(0)).get(index), undefined);

      const sublink = { name: 'eth3', namespace, kind: 'macvlan', mode: rtnetlink.SUBLINK_MODES.macvlan.Private, parent: index, mtu: 1400, mac: '02:00:00:00:00:09' } as const;
      await native.netlink(namespace, [rtnetlink.createSublink(sublink)]);
      const inside = await only(native.netlink(namespace, [rtnetlink.getLink('eth3', { inside: true })]), rtnetlink.linksIn);
      assert.deepEqual([inside.kind, inside.mac, inside.peer, inside.mtu], ['macvlan', '02:00:00:00:00:09', index, 1400]);

      const [, , reply] = await native.netlink(-1, [rtnetlink.assignNamespaceId(namespace), rtnetlink.assignNamespaceId(namespace), rtnetlink.getNamespaceId(namespace)]);
      assert.ok((rtnetlink.namespaceIdIn(reply?.data ?? Buffer.alloc(0)) ?? -1) >= 0);
    } finally {
      closeSync(namespace);
    }
  });

  it('has flows that can be forgotten', async () => {
    await native.runNft(`table inet ${table} { chain c { type filter hook output priority 0; ct state new accept; }; }`); // so that flows are tracked at all
    const port = 20_000 + (randomBytes(2).readUInt16LE() % 10_000);
    const flows = async (): Promise<ReturnType<typeof flowsIn>> => flowsIn((await native.netlink(-1, [dumpFlows(4, port)]))[0]?.data ?? Buffer.alloc(0));
    const socket = createSocket('udp4');
    try {
      socket.send('?', port, '198.18.0.1');
      const [flow] = await until('the flow is tracked', async () => {
        const found = await flows();
        return found.length > 0 && found;
      });
      assert.ok(flow);
      assert.deepEqual([flow.family, rtnetlink.formatAddress(flow.destination), flow.destinationPort, rtnetlink.formatAddress(flow.answersFrom)], [4, '198.18.0.1', port, '198.18.0.1']);
      await native.netlink(-1, [deleteFlow(flow), deleteFlow(flow)]);
      assert.deepEqual(await flows(), []);
    } finally {
      socket.close();
      await native.runNft(`delete table inet ${table}`);
    }
  });

  it('names the operation and the object that failed, in the words of the kernel, and stops there', async () => {
    const missing = rtnetlink.setAlias('mt-not-there', 'x');
    await assert.rejects(native.netlink(-1, [missing, rtnetlink.createBridge(other, { mac: '02:00:00:00:00:03', mtu: 1500 })]), (error) => {
      assert.ok(error instanceof MooringError);
      assert.deepEqual([error.message, errnoOf(error.cause)], ['name link mt-not-there "x"', 'ENODEV']);
      return true;
    });
    assert.equal((await native.netlink(-1, [rtnetlink.getLink(other)]))[0]?.errno, 'ENODEV');
  });

  it('changes packet filter rules all or none', async () => {
    await assert.rejects(native.runNft(`add table inet ${table}\nadd chain inet nowhere-${tag} c`), /change packet filter rules/);
    assert.ok(!(await run('nft', ['list', 'tables'])).stdout.includes(table));
    await native.runNft(`add table inet ${table}`);
    assert.ok((await run('nft', ['list', 'tables'])).stdout.includes(table));
    assert.equal((JSON.parse(await native.runNft(`list table inet ${table}`)) as { nftables: { table?: { name: string } }[] }).nftables[1]?.table?.name, table);
    await native.runNft(`delete table inet ${table}`);
  });

  it('changes packet filter rules also with more descriptors open than select(2) can count', async () => {
    const many = Array.from({ length: 1_100 }, () => openSync('/dev/null', 'r'));
    try {
      assert.ok(many.some((each) => each > 1_024));
      await native.runNft(`add table inet ${table}; delete table inet ${table}`);
      const namespace = await native.createNetworkNamespace();
      await native.netlink(namespace, [rtnetlink.setUp('lo', { inside: true })]);
      closeSync(namespace);
    } finally {
      for (const each of many) closeSync(each);
    }
  });

  it('is heard of when it changes, here and beyond a veth, and rules only when others changed them', async () => {
    const heard: { readonly nsid: number; readonly index: number }[] = [];
    let rules = 0;
    const watch = native.watchNetwork((links, byOthers) => {
      heard.push(...links);
      if (byOthers) rules++;
    });
    try {
      const { index } = await only(native.netlink(-1, [rtnetlink.getLink(bridge)]), rtnetlink.linksIn);
      const namespace = await native.createNetworkNamespace();
      await native.netlink(namespace, [rtnetlink.createVeth({ name: veth, bridge: index, mtu: 1400, peer: { namespace, name: 'eth0', mac: '02:00:00:00:00:02' } })]);
      const port = await only(native.netlink(-1, [rtnetlink.getLink(veth)]), rtnetlink.linksIn);
      const inside = await only(native.netlink(namespace, [rtnetlink.getLink('eth0', { inside: true })]), rtnetlink.linksIn);
      await until('the port is heard of', () => heard.some((each) => each.nsid === -1 && each.index === port.index));
      heard.length = 0;
      await native.netlink(namespace, [rtnetlink.addAddress(inside.index, Buffer.from([198, 18, 0, 9]), 24, { inside: true })]);
      await until('the address inside is heard of', () => heard.some((each) => each.nsid === port.peerNamespace && each.index === inside.index));
      closeSync(namespace);

      await native.runNft(`add table inet ${table}; delete table inet ${table}`);
      await run('ip', ['link', 'set', bridge, 'down']);
      await until('the bridge is heard of', () => heard.some((each) => each.nsid === -1 && each.index === index));
      assert.equal(rules, 0);
      await run('nft', ['add', 'table', 'inet', table]);
      await until("another's rules are heard of", () => rules > 0);
      await run('nft', ['delete', 'table', 'inet', table]);
    } finally {
      watch.close();
    }
  });
});
