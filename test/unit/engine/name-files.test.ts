import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { hostsText, resolvConfText } from '../../../src/engine/network/name-files.ts';
import { parseAddress } from '../../../src/spec/address.ts';

const NO_DNS = { servers: [], searches: [], options: [] };

describe("a container's resolv.conf", () => {
  it("is the node's without servers that only the node reaches", () => {
    assert.equal(resolvConfText(NO_DNS, undefined, ['nameserver 127.0.0.53\nnameserver 10.0.0.2\nsearch lan\noptions edns0\n']), 'nameserver 10.0.0.2\nsearch lan\noptions edns0\n');
    assert.equal(resolvConfText(NO_DNS, undefined, ['nameserver 127.0.0.53\nsearch a\n', 'nameserver 10.0.0.2\nsearch b\n']), 'nameserver 10.0.0.2\nsearch b\n');
    assert.equal(resolvConfText(NO_DNS, undefined, ['nameserver 127.0.0.53\nnameserver ::1\nsearch lan\n', '']), '# The node has no name server that a container could reach.\nsearch lan\n');
    assert.equal(resolvConfText(NO_DNS, undefined, ['', '']), '# The node has no name server that a container could reach.\n');
  });

  it('names the one that knows the neighbours, which is asked again after a second and for every short name first', () => {
    assert.equal(resolvConfText(NO_DNS, '172.30.0.1', ['nameserver 127.0.0.53\nsearch lan\noptions ndots:2 edns0\n']), 'nameserver 172.30.0.1\nsearch lan\noptions ndots:0 timeout:1 attempts:5 edns0\n');
  });

  it("is the container's own where that says so", () => {
    const dns = { servers: ['9.9.9.9', '2620:fe::fe'], searches: ['corp.example'], options: ['ndots:3'] };
    assert.equal(resolvConfText(dns, undefined, ['nameserver 10.0.0.2\nsearch lan\n']), 'nameserver 9.9.9.9\nnameserver 2620:fe::fe\nsearch corp.example\noptions ndots:3\n');
    assert.equal(resolvConfText(dns, '172.30.0.1', ['nameserver 10.0.0.2\n']), 'nameserver 172.30.0.1\nsearch corp.example\noptions ndots:3 timeout:1 attempts:5\n');
  });
});

describe("a container's hosts", () => {
  it('has its own addresses under both of its names, and what it asks for besides', () => {
    const addresses = [{ v4: parseAddress('172.30.0.2'), v6: parseAddress('fd00::2') }, { v4: parseAddress('10.5.0.7'), v6: undefined }];
    const text = hostsText({ hostname: 'web.example', addresses, network: { dns: NO_DNS, extraHosts: [{ ip: '192.0.2.1', hostnames: ['db', 'db.example'] }] } });
    assert.deepEqual(text.split('\n').slice(4), ['172.30.0.2\tweb.example web', 'fd00::2\tweb.example web', '10.5.0.7\tweb.example web', '192.0.2.1\tdb db.example', '']);
  });
});
