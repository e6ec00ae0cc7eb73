import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';

import { linkLocalOf } from '../../../src/engine/network/endpoint.ts';
import { parseAddress } from '../../../src/spec/address.ts';
import type { TestNode } from '../engine/support.ts';
import { enter, openNetworkNode, type Started, startOn } from './support.ts';

const FRAMES = path.join(import.meta.dirname, 'frames.py');
const BROADCAST = Buffer.alloc(6, 0xff);

/** Something that one host tells another, by the addresses that it says are its own. */
interface Claim {
  readonly mac: Buffer;
  readonly v4: Buffer;
  readonly v6: Buffer;
}

const mac = (text: string): Buffer => Buffer.from(text.replaceAll(':', ''), 'hex');
const ethernet = (source: Buffer, type: number, ...parts: readonly Buffer[]): Buffer => Buffer.concat([BROADCAST, source, Buffer.from([type >> 8, type & 0xff]), ...parts]);

function arp(frameFrom: Buffer, says: Pick<Claim, 'mac' | 'v4'>, mark: Buffer): Buffer {
  return ethernet(frameFrom, 0x0806, Buffer.from('0001080006040001', 'hex'), says.mac, says.v4, Buffer.alloc(6), Buffer.from([10, 9, 8, 7]), mark);
}

function ip4(source: Claim, mark: Buffer): Buffer {
  const header = Buffer.concat([Buffer.from([0x45, 0, 0, 20 + mark.length, 0, 1, 0, 0, 64, 253, 0, 0]), source.v4, Buffer.alloc(4, 0xff)]);
  let sum = 0;
  for (let at = 0; at < 20; at += 2) sum += header.readUInt16BE(at);
  header.writeUInt16BE(~((sum & 0xffff) + (sum >> 16)) & 0xffff, 10);
  return ethernet(source.mac, 0x0800, header, mark);
}

function ip6(from: Claim, next: number, payload: Buffer): Buffer {
  const header = Buffer.from([0x60, 0, 0, 0, payload.length >> 8, payload.length & 0xff, next, 255]);
  return ethernet(from.mac, 0x86dd, header, from.v6, Buffer.from('ff020000000000000000000000000001', 'hex'), payload);
}

const plain6 = (from: Claim, mark: Buffer): Buffer => ip6(from, 59, mark);
const advertisement = (from: Claim, of: Buffer, mark: Buffer): Buffer => ip6(from, 58, Buffer.concat([Buffer.from([136, 0, 0, 0, 0x20, 0, 0, 0]), of, mark]));
const router = (from: Claim, mark: Buffer): Buffer => ip6(from, 58, Buffer.concat([Buffer.from([134, 0, 0, 0, 64, 0, 7, 8, 0, 0, 0, 0, 0, 0, 0, 0]), mark]));

describe('what a container says that it is', () => {
  let node: TestNode;
  let liar: Started;
  let victim: Started;
  let witness: Started;
  before(async () => {
    node = await openNetworkNode();
    [liar, victim, witness] = [await startOn(node, 'liar'), await startOn(node, 'victim'), await startOn(node, 'witness')];
  });
  after(() => node.close());

  async function claimOf({ pid, v4, v6 }: Started): Promise<Claim & { readonly local: Buffer }> {
    const [link] = JSON.parse((await enter({ pid }, 'ip', '-j', 'link', 'show', 'eth0')).stdout) as { readonly address: string }[];
    return { mac: mac(link?.address ?? ''), v4: parseAddress(v4), v6: parseAddress(v6), local: linkLocalOf(link?.address ?? '') };
  }

  it('is let through where it is true, and only there', async () => {
    const [own, other] = [await claimOf(liar), await claimOf(victim)];
    const gateway = parseAddress((await enter(liar, 'ip', '-4', 'route', 'show', 'default')).stdout.split(' ')[2] ?? '');
    const sent: { readonly of: string; readonly isTrue: boolean; readonly frame: (mark: Buffer) => Buffer }[] = [
      { of: 'ARP', isTrue: true, frame: (mark) => arp(own.mac, own, mark) },
      { of: 'IPv4', isTrue: true, frame: (mark) => ip4(own, mark) },
      { of: 'IPv6', isTrue: true, frame: (mark) => plain6(own, mark) },
      { of: 'IPv6 of the link', isTrue: true, frame: (mark) => plain6({ ...own, v6: own.local }, mark) },
      { of: 'a neighbour advertisement', isTrue: true, frame: (mark) => advertisement(own, own.v6, mark) },
      { of: "ARP for another's address", isTrue: false, frame: (mark) => arp(own.mac, { ...own, v4: other.v4 }, mark) },
      { of: "ARP for the gateway's address", isTrue: false, frame: (mark) => arp(own.mac, { ...own, v4: gateway }, mark) },
      { of: "ARP with another's hardware address in it", isTrue: false, frame: (mark) => arp(own.mac, { ...own, mac: other.mac }, mark) },
      { of: "ARP from another's hardware address", isTrue: false, frame: (mark) => arp(other.mac, other, mark) },
      { of: "IPv4 from another's address", isTrue: false, frame: (mark) => ip4({ ...own, v4: other.v4 }, mark) },
      { of: "IPv4 from another's hardware address", isTrue: false, frame: (mark) => ip4({ ...own, mac: other.mac }, mark) },
      { of: 'IPv4 from the outside', isTrue: false, frame: (mark) => ip4({ ...own, v4: Buffer.from([198, 51, 100, 1]) }, mark) },
      { of: "IPv6 from another's address", isTrue: false, frame: (mark) => plain6({ ...own, v6: other.v6 }, mark) },
      { of: "IPv6 from another's address of the link", isTrue: false, frame: (mark) => plain6({ ...own, v6: other.local }, mark) },
      { of: "a neighbour advertisement for another's address", isTrue: false, frame: (mark) => advertisement(own, other.v6, mark) },
      { of: 'a router advertisement', isTrue: false, frame: (mark) => router({ ...own, v6: own.local }, mark) },
      { of: 'a VLAN tag', isTrue: false, frame: (mark) => ethernet(own.mac, 0x8100, Buffer.from('00070806', 'hex'), arp(own.mac, own, mark).subarray(14)) },
      { of: 'another protocol', isTrue: false, frame: (mark) => ethernet(own.mac, 0x88b5, mark) },
    ];
    const marked = sent.map((each, n) => ({ ...each, mark: Buffer.from(`mooring mark ${String(n).padStart(2, '0')}`) }));
    const last = Buffer.from('mooring mark last');
    const marks = [last, ...marked.map(({ mark }) => mark)].map((mark) => mark.toString('hex'));
    const listener = spawn('nsenter', ['--target', String(witness.pid), '--net', 'python3', FRAMES, 'listen', 'eth0', ...marks], { stdio: ['ignore', 'pipe', 'inherit'] });
    const ended = once(listener, 'close');
    let heard = '';
    listener.stdout.on('data', (data) => (heard += String(data)));
    await once(listener.stdout, 'data');
    const frames = [...marked.map(({ frame, mark }) => frame(mark)), arp(own.mac, own, last)];
    await enter(liar, 'python3', FRAMES, 'send', 'eth0', ...frames.map((frame) => frame.toString('hex')));
    await ended;
    const told = marked.filter(({ mark }) => heard.includes(mark.toString('hex'))).map(({ of }) => of);
    assert.deepEqual(told, sent.filter(({ isTrue }) => isTrue).map(({ of }) => of));
  });

  it('can not be said raw without NET_RAW', async () => {
    const bare = await startOn(node, 'bare', [], { capabilities: { drop: ['NET_RAW'] } });
    const held = async ({ pid }: Started): Promise<bigint> => BigInt(`0x${/CapEff:\s*(\w+)/.exec((await enter('node', 'cat', `/proc/${pid}/status`)).stdout)?.[1] ?? ''}`);
    const netRaw = 1n << 13n;
    assert.deepEqual([((await held(bare)) & netRaw) !== 0n, ((await held(liar)) & netRaw) !== 0n], [false, true]);
  });
});
