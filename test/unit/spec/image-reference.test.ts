import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { MooringError } from '../../../src/lib/errors.ts';
import { formatImageReference, IMAGE_PATTERN, parseImageReference } from '../../../src/spec/image-reference.ts';

const DIGEST = `sha256:${'0123456789abcdef'.repeat(4)}`;

describe('parseImageReference', () => {
  const canonical: [string, string][] = [
    ['redis', 'docker.io/library/redis:latest'],
    ['redis:7', 'docker.io/library/redis:7'],
    ['bitnami/redis', 'docker.io/bitnami/redis:latest'],
    ['docker.io/redis', 'docker.io/library/redis:latest'],
    ['index.docker.io/redis', 'docker.io/library/redis:latest'],
    ['mooring.local/busybox:latest', 'mooring.local/busybox:latest'],
    ['localhost/app', 'localhost/app:latest'],
    ['localhost:5000/app:1', 'localhost:5000/app:1'],
    ['registry.example:5000/a/b/c', 'registry.example:5000/a/b/c:latest'],
    ['[2001:db8::1]:5000/app', '[2001:db8::1]:5000/app:latest'],
    ['Registry/app', 'Registry/app:latest'],
    [`redis@${DIGEST}`, `docker.io/library/redis@${DIGEST}`],
    [`ghcr.io/a/b:1@${DIGEST}`, `ghcr.io/a/b:1@${DIGEST}`],
    ['a__b/c-d---e.f_g', 'docker.io/a__b/c-d---e.f_g:latest'],
  ];
  for (const [text, wanted] of canonical) {
    test(text, () => {
      const reference = parseImageReference(text);
      assert.equal(formatImageReference(reference), wanted);
      assert.deepEqual(parseImageReference(wanted), reference);
      assert.match(text, IMAGE_PATTERN);
    });
  }

  test('its parts', () => {
    assert.deepEqual(parseImageReference('redis'), { registry: 'docker.io', repository: 'library/redis', tag: 'latest' });
    assert.deepEqual(parseImageReference(`ghcr.io/a/b@${DIGEST}`), { registry: 'ghcr.io', repository: 'a/b', digest: DIGEST });
  });

  const refused = [
    '', ':', '@', 'redis:', 'redis@', ':7', '/redis', 'redis/', 'a//b', 'Redis', 'a/B', 'redis:-1', 'redis:a b', `redis:${'a'.repeat(129)}`, 'redis:7:8', 'a___b', 'a..b', '-a', 'a-', 'a b', ' redis', 'redis\n',
    'http://example.com/a', 'ghcr.io/', 'ghcr.io:x/a', '-bad-.io/a', `redis@sha256:${'A'.repeat(64)}`, 'redis@sha256:abc', 'redis@md5:d41d8cd98f00b204e9800998ecf8427e', `redis@${DIGEST}@${DIGEST}`,
    'ab'.repeat(32), 'a'.repeat(256), `example.com/${'a/'.repeat(300)}b`, '../etc/passwd', 'a/../b', 'redis@sha256:../../etc',
  ];
  for (const text of refused) {
    test(`refuses ${JSON.stringify(text.slice(0, 40))}`, () => assert.throws(() => parseImageReference(text), (error) => error instanceof MooringError && error.code === 'Invalid'));
  }
});
