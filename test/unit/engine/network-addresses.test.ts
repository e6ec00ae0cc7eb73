import assert from 'node:assert/strict';
import { isIPv6 } from 'node:net';
import { describe, it } from 'node:test';
import fc from 'fast-check';

import { bridgeName, portName } from '../../../src/engine/network/network-names.ts';
import { listenersIn } from '../../../src/engine/network/port-holder.ts';
import { clashOf, describePort, type PublishedPort } from '../../../src/engine/network/published-port.ts';
import { addressText, overlaps, parseAddress, parseSubnet, subnetText } from '../../../src/spec/address.ts';
import { addressAt, freeSubnet4, freeSubnet6, sizeOf } from '../../../src/engine/network/subnet.ts';

describe('addresses', () => {
  it('are the same after writing and reading', () => {
    fc.assert(
      fc.property(fc.oneof(fc.ipV4(), fc.ipV6()), (text) => {
        const bytes = parseAddress(text);
        assert.equal(bytes.length, text.includes(':') ? 16 : 4);
        assert.deepEqual(parseAddress(addressText(bytes)), bytes);
        if (text.includes(':')) assert.ok(isIPv6(addressText(bytes)), addressText(bytes));
      }),
    );
  });

  for (const [text, short] of [
    ['0:0:0:0:0:0:0:0', '::'],
    ['::1', '::1'],
    ['2001:DB8:0:0:1:0:0:0', '2001:db8:0:0:1::'],
    ['fd00::', 'fd00::'],
    ['1:0:2:0:0:3:0:4', '1:0:2::3:0:4'],
    ['::ffff:10.1.2.3', '::ffff:a01:203'],
    ['10.1.2.3', '10.1.2.3'],
  ] as const) {
    it(`${text} is written ${short}`, () => assert.equal(addressText(parseAddress(text)), short));
  }

  it('are counted from the base of their subnet', () => {
    const subnet = parseSubnet('172.31.240.0/20');
    assert.deepEqual([addressText(addressAt(subnet, 1n)), addressText(addressAt(subnet, 4094n)), sizeOf(subnet)], ['172.31.240.1', '172.31.255.254', 4096n]);
    assert.equal(addressText(addressAt(parseSubnet('fd00:1::/64'), 258n)), 'fd00:1::102');
  });
});

describe('subnets', () => {
  it('overlap when one holds the other, whichever way', () => {
    const pairs: readonly [string, string, boolean][] = [
      ['10.0.0.0/8', '10.3.0.0/16', true],
      ['10.4.0.0/16', '10.3.0.0/16', false],
      ['172.31.240.0/20', '172.31.255.255/32', true],
      ['172.31.240.0/20', '172.31.239.255/32', false],
      ['0.0.0.0/0', '10.0.0.0/8', true],
      ['fd00::/8', '10.0.0.0/8', false],
      ['fd00:1::/64', 'fd00:1:0:0:8000::/65', true],
    ];
    for (const [a, b, expected] of pairs) {
      assert.equal(overlaps(parseSubnet(a), parseSubnet(b)), expected, `${a} ${b}`);
      assert.equal(overlaps(parseSubnet(b), parseSubnet(a)), expected, `${b} ${a}`);
    }
  });

  it('are chosen free of all that is in use, the same each time', () => {
    const chosen = (...used: string[]) => {
      const subnet = freeSubnet4(used.map(parseSubnet));
      return subnet && subnetText(subnet);
    };
    assert.equal(chosen(), '172.31.240.0/20');
    assert.equal(chosen('172.31.255.7/24'), '172.31.224.0/20');
    assert.equal(chosen('172.16.0.0/12'), '10.255.240.0/20');
    assert.equal(chosen('172.16.0.0/12', '10.0.0.0/8'), undefined);
    const [first, again, other] = [freeSubnet6([], 'a'), freeSubnet6([], 'a'), freeSubnet6([], 'b')].map(subnetText);
    assert.equal(first, again);
    assert.notEqual(first, other);
    assert.match(first ?? '', /^fd.*\/64$/);
    assert.notEqual(subnetText(freeSubnet6([parseSubnet(first ?? '')], 'a')), first);
  });
});

describe('names of links', () => {
  it('fit the kernel and keep instances apart', () => {
    assert.equal(bridgeName('default'), 'mr-default');
    const long = [bridgeName('a-long-instance-name-1'), bridgeName('a-long-instance-name-2'), bridgeName('default', 'default/web'), bridgeName('default', 'other/web'), bridgeName('b', 'default/web')];
    assert.equal(new Set(long).size, long.length);
    for (const name of [...long, bridgeName('exactly12chr'), portName()]) assert.ok(name.length <= 15, name);
  });
});

describe('published ports', () => {
  const port = (parts: Partial<PublishedPort>): PublishedPort => ({ protocol: 'tcp', hostIP: undefined, hostPort: 80, containerPort: 8080, count: 1, judged: true, ...parts });

  it('clash on the same port and protocol of overlapping addresses', () => {
    assert.ok(clashOf(port({}), port({ hostIP: '127.0.0.1' })));
    assert.ok(clashOf(port({ hostIP: '::1' }), port({ hostIP: '::1' })));
    assert.ok(!clashOf(port({ hostIP: '127.0.0.1' }), port({ hostIP: '127.0.0.2' })));
    assert.ok(!clashOf(port({}), port({ protocol: 'udp' })));
    assert.ok(!clashOf(port({}), port({ hostPort: 81 })));
    assert.equal(clashOf(port({ hostPort: 70, count: 20 }), port({ hostPort: 75, count: 2 }))?.hostPort, 75);
    assert.ok(!clashOf(port({ hostPort: 70, count: 10 }), port({})));
  });

  it('are written as people do', () => {
    assert.deepEqual([port({}), port({ count: 3 }), port({ hostIP: '127.0.0.1', protocol: 'udp' }), port({ hostIP: '::1' })].map(describePort), ['80/tcp', '80-82/tcp', '127.0.0.1:80/udp', '[::1]:80/tcp']);
  });

  it('are compared with the listeners that the kernel lists', () => {
    const table = [
      '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode',
      '   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 12345 1 0000000000000000 100 0 0 10 0',
      '   1: 0100007F:1F91 0200007F:0016 01 00000000:00000000 00:00000000 00000000     0        0 12346 1 0000000000000000 100 0 0 10 0',
      '',
    ].join('\n');
    assert.deepEqual(listenersIn(table, '0A'), [{ address: '127.0.0.1', port: 8080, inode: '12345' }]);
    const six = 'header\n   0: B80D0120000000000000000001000000:0050 00000000000000000000000000000000:0000 0A 0:0 00:0 0 0 0 77 1';
    assert.deepEqual(listenersIn(six, '0A'), [{ address: '2001:db8::1', port: 80, inode: '77' }]);
  });
});
