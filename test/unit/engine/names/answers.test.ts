import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as dns from 'dns-packet';
import fc from 'fast-check';
import type { ContainerId } from '../../../../src/engine/engine.ts';
import { AnswerCache } from '../../../../src/engine/names/answer-cache.ts';
import { localAnswer, reverseAddress } from '../../../../src/engine/names/local-answer.ts';
import { fitting, type Query, RCODE, readQuery, reply } from '../../../../src/engine/names/message.ts';
import type { NamedEndpoint } from '../../../../src/engine/names/endpoint.ts';
import { NameTable } from '../../../../src/engine/names/name-table.ts';
import { parseSubnet } from '../../../../src/spec/address.ts';
import type { ContainerName } from '../../../../src/spec/name.ts';
import { SimulatedClock } from '../../../support/simulated-clock.ts';

const subnets = ['10.0.0.0/24', 'fd00:1:2:3::/64'].map(parseSubnet);
const web: NamedEndpoint = { id: 'a'.repeat(64) as ContainerId, name: 'shop/web' as ContainerName, addresses: ['10.0.0.2', 'fd00:1:2:3::2'], aliases: [], links: [], servers: [] };

function tableOf(...endpoints: NamedEndpoint[]): NameTable {
  const table = new NameTable();
  for (const each of endpoints) table.join(each);
  return table;
}

function query(name: string, type: string, more: Partial<dns.Packet> = {}): Query {
  const read = readQuery(dns.encode({ type: 'query', id: 7, flags: dns.RECURSION_DESIRED, questions: [{ name, type: type as dns.RecordType }], ...more }));
  assert.ok(read !== undefined && !('refusal' in read));
  return read;
}

function local(name: string, type: string, table = tableOf(web)): dns.DecodedPacket | undefined {
  const answer = localAnswer(query(name, type), [{ table, subnets, asker: web }]);
  return answer && dns.decode(answer);
}

const rcodeOf = (packet: dns.DecodedPacket | undefined): number | undefined => packet && (packet.flags ?? 0) & 0xf;
const dataOf = (packet: dns.DecodedPacket | undefined): unknown[] | undefined => packet?.answers?.map((record) => ('data' in record ? record.data : undefined));

test('addresses of the kind that was asked for; a name without one of that kind exists all the same', () => {
  const a = local('web', 'A');
  assert.deepEqual([rcodeOf(a), a?.flag_aa, a?.flag_ra, a?.id, dataOf(a)], [RCODE.ok, true, true, 7, ['10.0.0.2']]);
  assert.deepEqual(dataOf(local('WeB', 'AAAA')), ['fd00:1:2:3::2']);
  for (const type of ['MX', 'TXT', 'SRV', 'UNKNOWN_65']) assert.deepEqual([rcodeOf(local('web', type)), dataOf(local('web', type))], [RCODE.ok, []]);
  const onlyFour = tableOf({ ...web, addresses: ['10.0.0.2'] });
  assert.deepEqual([rcodeOf(local('web', 'AAAA', onlyFour)), dataOf(local('web', 'AAAA', onlyFour))], [RCODE.ok, []]);
});

test('who is on several networks is told of all of them, of its own first', () => {
  const other: NamedEndpoint = { ...web, id: 'b'.repeat(64) as ContainerId, name: 'shop/db' as ContainerName, addresses: ['10.9.0.3'] };
  const far = { table: tableOf({ ...web, addresses: ['10.9.0.2'] }, other), subnets: [parseSubnet('10.9.0.0/24')] };
  const ask = (name: string, type: string) => dns.decode(localAnswer(query(name, type), [{ table: tableOf(web), subnets, asker: web }, { ...far, asker: web }]) as Buffer);
  assert.deepEqual(dataOf(ask('db', 'A')), ['10.9.0.3']);
  assert.deepEqual(dataOf(ask('web', 'A')), ['10.0.0.2']);
  assert.deepEqual(dataOf(ask('3.0.9.10.in-addr.arpa', 'PTR')), ['db.shop.mooring.internal']);
});

test('our zone ends here, everything else is passed on', () => {
  assert.equal(rcodeOf(local('nobody.shop.mooring.internal', 'A')), RCODE.noSuchName);
  assert.deepEqual([rcodeOf(local('mooring.internal', 'SOA')), dataOf(local('mooring.internal', 'SOA'))], [RCODE.ok, []]);
  for (const name of ['example.org', 'nobody', 'xmooring.internal', '8.8.8.8.in-addr.arpa']) assert.equal(local(name, 'A'), undefined, name);
});

test('addresses of the network have names, and those that nobody has do not', () => {
  assert.deepEqual(dataOf(local('2.0.0.10.in-addr.arpa', 'PTR')), ['web.shop.mooring.internal']);
  const six = `${Buffer.from('fd000001000200030000000000000002', 'hex').toString('hex').split('').toReversed().join('.')}.ip6.arpa`;
  assert.deepEqual(dataOf(local(six, 'PTR')), ['web.shop.mooring.internal']);
  assert.equal(rcodeOf(local('77.0.0.10.in-addr.arpa', 'PTR')), RCODE.noSuchName);
  assert.equal(reverseAddress('256.0.0.10.in-addr.arpa'), undefined);
  assert.equal(reverseAddress('1.2.3.in-addr.arpa'), undefined);
});

test('what does not fit a datagram is cut, and a client with EDNS has more room', () => {
  const crowd = tableOf(web, ...Array.from({ length: 60 }, (_, n) => ({ ...web, id: n.toString(16).padStart(64, '0') as ContainerId, name: `shop/r${n}` as ContainerName, addresses: [`10.0.0.${n + 10}`], aliases: ['crowd'] })));
  const small = query('crowd', 'A');
  const whole = localAnswer(small, [{ table: crowd, subnets, asker: web }]) as Buffer;
  assert.equal(dns.decode(whole).answers?.length, 60);
  const cut = dns.decode(fitting(small, whole));
  assert.deepEqual([cut.flag_tc, cut.answers?.length], [true, 0]);
  const large = query('crowd', 'A', { additionals: [{ type: 'OPT', name: '.', udpPayloadSize: 4096, flags: 0, options: [] } as unknown as dns.Answer] });
  const fits = dns.decode(fitting(large, localAnswer(large, [{ table: crowd, subnets, asker: web }]) as Buffer));
  assert.deepEqual([fits.flag_tc, fits.answers?.length, fits.additionals?.length], [false, 60, 1]);
});

test('what is no question is refused in the terms of the protocol, or not answered at all', () => {
  const refusal = (bytes: Buffer): number | undefined => {
    const read = readQuery(bytes);
    assert.ok(read === undefined || 'refusal' in read);
    return read?.refusal && rcodeOf(dns.decode(read.refusal));
  };
  const encode = (packet: dns.Packet): Buffer => dns.encode({ type: 'query', id: 1, ...packet });
  const one: dns.Question = { name: 'web', type: 'A' };
  assert.equal(refusal(encode({ questions: [one, one] })), RCODE.formatError);
  assert.equal(refusal(encode({ questions: [] })), RCODE.formatError);
  assert.equal(refusal(encode({ questions: [{ ...one, class: 'CH' }] })), RCODE.refused);
  assert.equal(refusal(encode({ flags: 4 << 11, questions: [one] })), RCODE.notImplemented);
  assert.equal(refusal(encode({ questions: [one] }).subarray(0, 15)), RCODE.formatError);
  assert.equal(refusal(encode({ type: 'response', questions: [one] })), undefined);
  assert.equal(refusal(Buffer.alloc(5)), undefined);
});

test('no bytes at all make the reading fail', () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => void readQuery(Buffer.from(bytes))), { numRuns: 5_000 });
  const good = dns.encode({ type: 'query', id: 1, questions: [{ name: 'a.b.c', type: 'A' }], additionals: [{ type: 'OPT', name: '.', udpPayloadSize: 1232, flags: 0, options: [] } as unknown as dns.Answer] });
  const flips = fc.array(fc.tuple(fc.nat(good.length - 1), fc.nat(255)), { maxLength: 8 });
  fc.assert(
    fc.property(flips, (changes) => {
      const bytes = Buffer.from(good);
      for (const [at, value] of changes) bytes[at] = value;
      const read = readQuery(bytes);
      if (read && !('refusal' in read)) localAnswer(read, [{ table: tableOf(web), subnets, asker: web }]);
    }),
    { numRuns: 5_000 },
  );
});

test('answers are kept for as long as they say, and told with what is left of that', async () => {
  const clock = new SimulatedClock();
  const cache = new AnswerCache(clock);
  const asked = query('example.org', 'A');
  cache.put(asked, ['1.1.1.1'], reply(asked, RCODE.ok, [{ type: 'A', name: 'example.org', ttl: 60, data: '192.0.2.1' }], { authoritative: false }));
  await clock.advance(20_500);
  const again = cache.get(query('EXAMPLE.org', 'A'), ['1.1.1.1']);
  const [record] = dns.decode(again as Buffer).answers ?? [];
  assert.ok(record?.type === 'A');
  assert.deepEqual([record.ttl, record.data], [40, '192.0.2.1']);
  assert.equal(cache.get(asked, ['9.9.9.9']), undefined);
  assert.equal(cache.get(query('example.org', 'AAAA'), ['1.1.1.1']), undefined);
  await clock.advance(40_000);
  assert.equal(cache.get(asked, ['1.1.1.1']), undefined);
});

test('that a name is not there is kept for as long as its zone says; failures and signed answers are not', async () => {
  const clock = new SimulatedClock();
  const cache = new AnswerCache(clock);
  const asked = query('nobody.example.org', 'A');
  const soa: dns.Answer = { type: 'SOA', name: 'example.org', ttl: 900, data: { mname: 'a', rname: 'b', minimum: 30 } };
  cache.put(asked, [], reply(asked, RCODE.noSuchName, [], { authoritative: false, authorities: [soa] }));
  assert.equal(rcodeOf(dns.decode(cache.get(asked, []) as Buffer)), RCODE.noSuchName);
  await clock.advance(31_000);
  assert.equal(cache.get(asked, []), undefined);
  cache.put(asked, [], reply(asked, RCODE.serverFailure, [], { authoritative: false }));
  assert.equal(cache.get(asked, []), undefined);
  const signed = query('example.org', 'A', { additionals: [{ type: 'OPT', name: '.', udpPayloadSize: 1232, flags: dns.DNSSEC_OK, options: [] } as unknown as dns.Answer] });
  cache.put(signed, [], reply(signed, RCODE.ok, [{ type: 'A', name: 'example.org', ttl: 60, data: '192.0.2.1' }], { authoritative: false }));
  assert.equal(cache.get(signed, []), undefined);
});

test('the cache is bounded', () => {
  const cache = new AnswerCache(new SimulatedClock());
  const put = (n: number): Query => {
    const asked = query(`n${n}.example`, 'A');
    cache.put(asked, [], reply(asked, RCODE.ok, [{ type: 'A', name: asked.name, ttl: 60, data: '192.0.2.1' }], { authoritative: false }));
    return asked;
  };
  const first = put(0);
  for (let n = 1; n <= 2_000; n++) put(n);
  assert.equal(cache.get(first, []), undefined);
  assert.ok(cache.get(query('n1.example', 'A'), []));
});
