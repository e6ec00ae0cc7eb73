import assert from 'node:assert/strict';
import { test } from 'node:test';
import { leadsToGlob, parsePathGlob, pathGlobs, wholeFolder } from '../../../src/spec/path-glob.ts';

test('a pattern allows what it matches and all that is in it', () => {
  const table: readonly [pattern: string, allowed: readonly string[], refused: readonly string[]][] = [
    ['/run/nginx.pid', ['/run/nginx.pid'], ['/run', '/run/nginx', '/run/nginx.pid2', '/run/nginxxpid']],
    ['/var/cache', ['/var/cache', '/var/cache/a', '/var/cache/a/b'], ['/var', '/var/cached']],
    ['/var/cache/**', ['/var/cache', '/var/cache/a/b'], ['/var', '/var/cached']],
    ['/var/log/*.log', ['/var/log/a.log', '/var/log/.log', '/var/log/a.log/in'], ['/var/log', '/var/log/a/b.log', '/var/log/alog']],
    ['/srv/**/cache', ['/srv/cache', '/srv/a/cache', '/srv/a/b/cache/x'], ['/srv', '/srv/cachex', '/cache']],
    ['/tmp/?', ['/tmp/a', '/tmp/a/b'], ['/tmp/', '/tmp/ab', '/tmp']],
    ['/a+b(c)[d]{e}|f^$\\', ['/a+b(c)[d]{e}|f^$\\'], ['/aab', '/a']],
    ['/x\ny', ['/x\ny', '/x\ny/\n'], ['/x']],
  ];
  for (const [pattern, allowed, refused] of table) {
    const isAllowed = pathGlobs([pattern]);
    assert.deepEqual([allowed.filter((path) => !isAllowed(path)), refused.filter(isAllowed)], [[], []], pattern);
    assert.equal(parsePathGlob(pattern), pattern);
  }
  assert.equal(pathGlobs([])('/'), false);
  assert.equal(pathGlobs(['/a', '/b/*'])('/b/c'), true);
});

test('only what names a folder whole is one that need not be followed', () => {
  assert.deepEqual(['/var/cache', '/var/cache/**', '/var/*', '/**', '/a/**/b', '/a?/**'].map(wholeFolder), ['/var/cache', '/var/cache', undefined, undefined, undefined, undefined]);
});

test('the folders on the way to what is allowed are known', () => {
  assert.deepEqual(['/var', '/var/cache', '/var/cache/web', '/va', '/srv', '/srv/a'].filter((path) => leadsToGlob(['/var/cache/web/**', '/srv/*/x'], path)), ['/var', '/var/cache', '/var/cache/web', '/srv']);
});

test('what is no pattern of absolute clean paths is refused, with what to write', () => {
  const table: readonly [string, RegExp][] = [
    ['tmp', /not a pattern of absolute paths/],
    ['/', /would allow every path/],
    ['/tmp/../etc', /holds "\.\."/],
    ['/tmp/', /not a clean path/],
    ['/tmp//a', /not a clean path/],
    ['/a\0b', /NUL/],
    [`/${'a'.repeat(5000)}`, /5001 characters/],
  ];
  for (const [pattern, error] of table) assert.throws(() => parsePathGlob(pattern), error, pattern);
});
