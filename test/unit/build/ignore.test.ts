import assert from 'node:assert/strict';
import { test } from 'node:test';

import { parseIgnoreFile } from '../../../src/engine/build/ignore.ts';
import { pathPattern } from '../../../src/engine/build/path-pattern.ts';

/** A `.dockerignore`, and what of the paths Docker leaves out. */
const CASES: readonly (readonly [string, readonly string[], readonly string[]])[] = [
  ['*.md\n!README.md\n', ['a.md'], ['README.md', 'docs/a.md']],
  ['**/*.md\n', ['a.md', 'docs/a.md', 'a/b/c.md'], ['a.txt']],
  ['node_modules\n', ['node_modules', 'node_modules/a/b'], ['src/node_modules', 'node_modules2']],
  ['**/node_modules\n', ['node_modules/a', 'src/node_modules', 'src/node_modules/a'], ['node_modules2']],
  ['/build/\n', ['build', 'build/a'], ['src/build']],
  ['# a comment\n\n  tmp  \n', ['tmp', 'tmp/a'], ['# a comment']],
  ['*\n!src\n!src/*.ts\nsrc/secret\n', ['a', 'src/secret'], ['src', 'src/a.ts']],
  ['a?c\n', ['abc'], ['ac', 'a/c', 'abbc']],
  ['[a-c].txt\n', ['a.txt', 'c.txt'], ['d.txt']],
  ['Case\n', ['Case'], ['case']],
  ['a+b\n(x)\n{y}\n', ['a+b', '(x)', '{y}'], ['aab', 'x', 'y']],
  ['a/../b\n./c\n', ['b', 'c'], ['a']],
  ['\\#a\n', ['#a'], ['a']],
  ['docs/**/*.png\n', ['docs/a.png', 'docs/a/b.png'], ['a.png']],
  ['other\n', [], ['constructor', 'toString', '__proto__']],
];

test('.dockerignore means what Docker says that it means', () => {
  for (const [content, ignored, kept] of CASES) {
    const rules = parseIgnoreFile(content, '.dockerignore');
    for (const path of ignored) assert.equal(rules.ignores(path), true, `${JSON.stringify(content)} leaves out ${path}`);
    for (const path of kept) assert.equal(rules.ignores(path), false, `${JSON.stringify(content)} keeps ${path}`);
  }
});

test('a malformed pattern is told with its line', () => {
  assert.throws(() => parseIgnoreFile('a\n[b\n', '.dockerignore'), { code: 'Invalid', at: '.dockerignore:2:1' });
});

test("patterns of paths are those of Go's filepath.Match", () => {
  for (const [pattern, path, matches] of [
    ['*', 'abc', true],
    ['*', 'a/b', false],
    ['a*b', 'ab', true],
    ['a?b', 'a/b', false],
    ['[a-c]x', 'bx', true],
    ['[^a-c]x', 'bx', false],
    ['[^a]x', '/x', false],
    ['a\\*', 'a*', true],
    ['a\\*', 'ab', false],
    ['a.b+(c)', 'a.b+(c)', true],
    ['a.b', 'axb', false],
    ['[\\]a]', ']', true],
    ['ü?', 'üñ', true],
  ] as const) {
    assert.equal(pathPattern(pattern).test(path), matches, `${pattern} ${path}`);
  }
  for (const pattern of ['[', '[a', '[]a]', '[-]', '[a-]', 'a\\']) assert.throws(() => pathPattern(pattern), { code: 'Invalid' }, pattern);
  assert.equal(pathPattern('**/x', { deep: true }).test('a/b/x'), true);
  assert.equal(pathPattern('a/**', { deep: true }).test('a/b/x'), true);
});
