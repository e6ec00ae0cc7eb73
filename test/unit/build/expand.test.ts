import assert from 'node:assert/strict';
import { test } from 'node:test';

import { expandText, expandWord } from '../../../src/engine/build/expand.ts';

const VARIABLES: Readonly<Record<string, string>> = { foo: 'bar', empty: '', path: '/a/b/c.tar.gz', name: 'foobarfoo', 'x1': 'y' };
const lookup = (name: string): string | undefined => VARIABLES[name];
const expand = (text: string): string => expandWord(text, { escape: '\\', lookup });

/** Each with what Docker's builder makes of it. */
const WORDS: readonly (readonly [string, string])[] = [
  ['plain', 'plain'],
  ['$foo', 'bar'],
  ['${foo}', 'bar'],
  ['a${foo}b', 'abarb'],
  ['$foo-$foo', 'bar-bar'],
  ['$foo_bar', ''],
  ['$x1', 'y'],
  ['$', '$'],
  ['$ foo', '$ foo'],
  ['\\$foo', '$foo'],
  ['\\\\$foo', '\\bar'],
  ["'$foo'", '$foo'],
  ['"$foo"', 'bar'],
  ['"\\$foo"', '$foo'],
  ['"a\\"b"', 'a"b'],
  ['"a\\nb"', 'a\\nb'],
  ["'a\\b'", 'a\\b'],
  ['a\\ b', 'a b'],
  ['"a b"c', 'a bc'],
  ['${unset:-word}', 'word'],
  ['${unset-word}', 'word'],
  ['${empty:-word}', 'word'],
  ['${empty-word}', ''],
  ['${foo:-word}', 'bar'],
  ['${unset:-$foo}', 'bar'],
  ['${unset:-${empty:-deep}}', 'deep'],
  ['${unset:-"a b"}', 'a b'],
  ["${unset:-'$foo'}", '$foo'],
  ['${foo:+word}', 'word'],
  ['${unset:+word}', ''],
  ['${empty:+word}', ''],
  ['${empty+word}', 'word'],
  ['${foo:?must}', 'bar'],
  ['${empty?must}', ''],
  ['${path#*/}', 'a/b/c.tar.gz'],
  ['${path##*/}', 'c.tar.gz'],
  ['${path%.*}', '/a/b/c.tar'],
  ['${path%%.*}', '/a/b/c'],
  ['${path%x}', '/a/b/c.tar.gz'],
  ['${name/foo/X}', 'Xbarfoo'],
  ['${name//foo/X}', 'XbarX'],
  ['${name//o?/_}', 'f_barf_'],
  ['${name/b*r/-}', 'foo-foo'],
  ['${name//f\\?o/X}', 'foobarfoo'],
  ['${foo}\\}', 'bar}'],
];

test('words are expanded as the reference says', () => {
  for (const [word, wanted] of WORDS) assert.equal(expand(word), wanted, word);
});

test('what can not be expanded is refused with the reason', () => {
  for (const [word, reason] of [
    ['${foo', /closing/],
    ['"foo', /closing/],
    ["'foo", /closing/],
    ['${}', /name of a variable/],
    ['${foo:x}', /no modifier ":x"/],
    ['${foo:#a}', /no modifier/],
    ['${unset:?must be there}', /unset: must be there/],
    ['${empty:?}', /must be set/],
    ['${foo/a}', /lacks a "\/"/],
  ] as const) {
    assert.throws(() => expand(word), { code: 'Invalid', message: reason }, word);
  }
});

test('in a here-document quotes are text', () => {
  assert.equal(expandText(`"$foo" '$foo' \\$foo \\n`, { escape: '\\', lookup }), `"bar" 'bar' $foo \\n`);
});

test('a backtick may be the escape character', () => {
  assert.equal(expandWord('C:\\`$foo', { escape: '`', lookup }), 'C:\\$foo');
});
