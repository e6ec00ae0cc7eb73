import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { endpointOf, guardElements, linkLocalOf, macOf } from '../../../src/engine/network/endpoint.ts';
import { layoutOf } from '../../../src/engine/network/network-layout.ts';
import { portElements, type PublishedPort } from '../../../src/engine/network/published-port.ts';
import { addElements, deleteElements, wholeTables } from '../../../src/engine/network/rules.ts';
import { elementText, parseListing } from '../../../src/engine/network/table-listing.ts';
import { addressText, parseAddress } from '../../../src/spec/address.ts';
import { networkSpecSchema } from '../../../src/spec/network.ts';

const spec = networkSpecSchema.parse({ subnets: [{ cidr: '10.5.0.0/24', gateway: '10.5.0.254', ipRange: '10.5.0.128/25' }] });
const layout = layoutOf({ name: 'default/blue', network: undefined, createdAt: 0, subnet4: '10.5.0.0/24', subnet6: 'fd00:5::/64' }, spec);

describe('the layout of a network', () => {
  it('has its gateways, and gives out neither those nor what is no host', () => {
    assert.equal(addressText(layout.v4.gateway), '10.5.0.254');
    assert.deepEqual(layout.v4.range, { first: 128n, last: 255n, reserved: [0n, 255n, 254n] });
    assert.equal(layout.v6 && addressText(layout.v6.gateway), 'fd00:5::1');
    assert.deepEqual([layout.v6?.range.first, layout.v6?.range.reserved[2]], [0n, 1n]);
  });

  it('gives an endpoint its addresses by number, and a hardware address that goes with them', () => {
    const endpoint = endpointOf({ name: 'blue', aliases: [] }, layout, { slot: 2, port: 'mv0', v4: 130n, v6: 0x1234_5678_9abcn });
    assert.deepEqual([addressText(endpoint.v4), endpoint.v6 && addressText(endpoint.v6), endpoint.mac], ['10.5.0.130', 'fd00:5::1234:5678:9abc', '02:6d:0a:05:00:82']);
    assert.equal(endpointOf({ name: 'blue', aliases: [], macAddress: '02:00:00:00:00:01' }, layout, { slot: 0, port: null, v4: 130n, v6: undefined }).mac, '02:00:00:00:00:01');
  });
});

describe('elements', () => {
  const target = { v4: parseAddress('10.5.0.130'), v6: parseAddress('fd00:5::82') };
  const port = (parts: Partial<PublishedPort>): PublishedPort => ({ protocol: 'tcp', hostIP: undefined, hostPort: 80, containerPort: 8080, count: 1, judged: false, ...parts });
  const texts = (...args: Parameters<typeof portElements>): string[] => portElements(...args).map(elementText);

  it('of a published port are one for each address family, and one where it is judged', () => {
    assert.deepEqual(texts(port({}), target), ['any4 tcp . 80 : 10.5.0.130 . 8080', 'any6 tcp . 80 : fd00:5::82 . 8080']);
    assert.deepEqual(texts(port({ judged: true }), target), ['any4 tcp . 80 : 10.5.0.130 . 8080', 'judged tcp . 80', 'any6 tcp . 80 : fd00:5::82 . 8080']);
    assert.deepEqual(texts(port({ judged: true, hostIP: '192.0.2.1' }), target), ['at4 192.0.2.1 . tcp . 80 : 10.5.0.130 . 8080', 'judged4 192.0.2.1 . tcp . 80']);
    assert.deepEqual(texts(port({ hostIP: '::1' }), target), ['at6 ::1 . tcp . 80 : fd00:5::82 . 8080']);
    assert.deepEqual(texts(port({ count: 2, protocol: 'udp' }), { v4: target.v4 }), ['any4 udp . 80 : 10.5.0.130 . 8080', 'any4 udp . 81 : 10.5.0.130 . 8081']);
  });

  it('of the guard are all addresses that a container may speak from, and no other', () => {
    const mac = macOf(target.v4);
    assert.equal(addressText(linkLocalOf(mac)), 'fe80::6d:aff:fe05:82');
    assert.deepEqual(guardElements('mv0', { ...target, mac }).map(elementText), [
      'ports mv0',
      `hosts4 mv0 . ${mac} . 10.5.0.130`,
      `hosts6 mv0 . ${mac} . ::`,
      `hosts6 mv0 . ${mac} . fd00:5::82`,
      `hosts6 mv0 . ${mac} . fe80::6d:aff:fe05:82`,
      'targets6 mv0 . 0xfd000005000000000000000000000082',
      'targets6 mv0 . 0xfe80000000000000006d0afffe050082',
    ]);
  });

  it('are added and deleted in the family of their set', () => {
    const elements = [{ set: 'any4', key: 'tcp . 80', value: '10.0.0.1 . 80' }, { set: 'ports', key: '"mv0"' }] as const;
    assert.equal(addElements('t', elements), 'add element inet t any4 { tcp . 80 : 10.0.0.1 . 80 }\nadd element bridge t ports { "mv0" }\n');
    assert.equal(deleteElements('t', elements), 'delete element inet t any4 { tcp . 80 }\ndelete element bridge t ports { "mv0" }\n');
  });

  it('are read back from a listing as they were written', () => {
    const set = (name: string, elem: readonly unknown[]) => ({ [name.startsWith('a') ? 'map' : 'set']: { family: 'inet', name, table: 't', handle: 7, elem } });
    const text = JSON.stringify({ nftables: [{ metainfo: {} }, set('any4', [[{ concat: [6, 80] }, { concat: ['10.5.0.130', 8080] }]]), set('homes4', [{ concat: [{ prefix: { addr: '10.5.0.0', len: 24 } }, 'mr-a'] }]), set('ports', ['mv0']), set('host0-bad', ['10.0.0.1'])] });
    const { elements, shape } = parseListing(text);
    assert.deepEqual([...elements], ['any4 tcp . 80 : 10.5.0.130 . 8080', 'homes4 10.5.0.0/24 . mr-a', 'ports mv0']);
    assert.equal(parseListing(text.replaceAll('"handle":7', '"handle":9').replace('"mv0"', '"mv1"')).shape, shape);
  });
});

it('the tables are the same whatever is connected, but for ::1 and the chains of the node', () => {
  const plain = { table: 't', loopback6: false, hostPolicy: '' };
  assert.equal(wholeTables(plain, []).match(/^table /gm)?.length, 2);
  assert.ok(wholeTables(plain, []).includes('ip6 daddr ::1 return') && !wholeTables({ ...plain, loopback6: true }, []).includes('ip6 daddr ::1 return'));
  const [none, some] = [wholeTables(plain, []), wholeTables(plain, [{ set: 'bridges', key: '"mr-a"' }])];
  assert.equal(some, `${none}add element inet t bridges { "mr-a" }\n`);
});
