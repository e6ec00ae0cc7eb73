import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parseEnvFile } from '../../../src/spec/compose/env-file.ts';
import { expandTemplate } from '../../../src/spec/compose/template.ts';

const variables: Readonly<Record<string, string>> = { A: 'a', EMPTY: '' };
const lookup = (name: string): string | undefined => variables[name];

describe('variables in a text', () => {
  const cases: Readonly<Record<string, string>> = {
    'no variable': 'no variable',
    '$A': 'a',
    '$A.b': 'a.b',
    '${A}b': 'ab',
    '$$A': '$A',
    '$${A}': '${A}',
    '${NONE:-x}': 'x',
    '${EMPTY:-x}': 'x',
    '${EMPTY-x}': '',
    '${NONE-x}': 'x',
    '${A:-x}': 'a',
    '${A:?why}': 'a',
    '${EMPTY?why}': '',
    '${A:+x}': 'x',
    '${EMPTY:+x}': '',
    '${EMPTY+x}': 'x',
    '${NONE+x}': '',
    '${NONE:-${A}-${NONE:-$A}}': 'a-a',
    '${NONE:-http://x?a=b}': 'http://x?a=b',
  };
  for (const [text, expanded] of Object.entries(cases)) {
    test(text, () => assert.equal(expandTemplate(text, lookup, assert.fail), expanded));
  }

  test('one that is not set counts as empty and is told of', () => {
    const unset: string[] = [];
    assert.equal(expandTemplate('-$NONE-${NONE}-', lookup, (name) => unset.push(name)), '---');
    assert.deepEqual(unset, ['NONE', 'NONE']);
  });

  for (const text of ['$', '$-', '${', '${A', '${}', '${A b}', '${1}', '${A:=x}']) {
    test(`${text} is refused`, () => assert.throws(() => expandTemplate(text, lookup, assert.fail), { name: 'MooringError', code: 'Invalid' }));
  }

  test('one that is required is refused with its reason', () => {
    assert.throws(() => expandTemplate('${NONE:?set $A}', lookup, assert.fail), /NONE is required: set a/);
    assert.throws(() => expandTemplate('${EMPTY:?}', lookup, assert.fail), /EMPTY is required/);
  });
});

describe('environment files', () => {
  const parse = (text: string, raw = false): [string, string][] => {
    const { variables: found, faults } = parseEnvFile(text, lookup, raw);
    assert.deepEqual(faults, []);
    return [...found];
  };

  test('values without quotes end at a comment', () => {
    assert.deepEqual(parse('\uFEFF# c\n\nX=1 # one\r\nexport Y = a#b\nZ=\nW: w\n'), [['X', '1'], ['Y', 'a#b'], ['Z', ''], ['W', 'w']]);
  });

  test('quotes', () => {
    assert.deepEqual(parse(`X='$A # \\n'\nY="$A\\n\\"\\$A\\\\"\nZ="one\ntwo" # behind\nV='a\n b'`), [['X', '$A # \\n'], ['Y', 'a\n"$A\\'], ['Z', 'one\ntwo'], ['V', 'a\n b']]);
  });

  test('variables of the file come before those of the environment; a name alone has that of the environment', () => {
    assert.deepEqual(parse('A=b\nX=$A\nEMPTY\nNONE'), [['A', 'b'], ['X', 'b'], ['EMPTY', '']]);
  });

  test('raw lines stay as they are', () => assert.deepEqual(parse(`X="$A" # c`, true), [['X', '"$A" # c']]));

  test('what is wrong is told by its line', () => {
    assert.deepEqual(parseEnvFile('A=1\n=x\nB="c\nd', lookup).faults, [{ line: 2, message: '"=x" is no NAME=value' }, { line: 3, message: 'B lacks its closing "' }]);
  });
});
