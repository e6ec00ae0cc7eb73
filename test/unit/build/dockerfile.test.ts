import assert from 'node:assert/strict';
import { test } from 'node:test';

import { parseDockerfile } from '../../../src/engine/build/dockerfile.ts';

const parse = (text: string) => parseDockerfile(text, 'Dockerfile').instructions;

test('instructions are read with their place, whatever lines they take', () => {
  const [, run, user] = parse('FROM a\n\n  run echo a \\\n\n   # a comment\n  && echo \\\\\nUSER b\n');
  assert.deepEqual([run?.keyword, run?.text, run?.at], ['RUN', 'echo a   && echo \\\\', 'Dockerfile:3:3']);
  assert.deepEqual([user?.keyword, user?.text, user?.at], ['USER', 'b', 'Dockerfile:7:1'], 'two escape characters do not continue a line');
});

test('CRLF, a byte order mark and blanks behind an escape change nothing', () => {
  assert.deepEqual(parse('\uFEFFFROM a\r\nRUN b \\  \r\n c\r\n').map(({ text }) => text), ['a', 'b  c']);
});

test('here-documents end where they should, and hide what looks like instructions', () => {
  const [, run, copy, shell, trigger] = parse(
    ['FROM a', 'RUN <<EOF cat > /x && 3<<-"TWO" cat', 'FROM b \\', '$x', 'EOF', '\tc $x', '\tTWO', 'COPY <<a.txt <<\'b.txt\' /d/', 'A', 'a.txt', 'B', 'b.txt', "RUN echo \"<<no\" '<<EOF' $((1<<2))", 'ONBUILD RUN <<EOF', 'd', 'EOF', ''].join('\n'),
  );
  assert.deepEqual(run?.heredocs.map(({ name, expands, content }) => [name, expands, content]), [['EOF', true, 'FROM b \\\n$x\n'], ['TWO', false, 'c $x\n']]);
  assert.deepEqual(copy?.heredocs.map(({ name, expands, content }) => [name, expands, content]), [['a.txt', true, 'A\n'], ['b.txt', false, 'B\n']]);
  assert.deepEqual([shell?.text, shell?.heredocs], ["echo \"<<no\" '<<EOF' $((1<<2))", []]);
  assert.deepEqual([trigger?.text, trigger?.heredocs[0]?.content], ['RUN <<EOF', 'd\n']);
});

test('flags keep their blanks in quotes', () => {
  const [, copy] = parse('FROM a\nCOPY --chown=1:2 --exclude="a b" \\\n  --link x y\n');
  assert.deepEqual(copy?.flags, [{ name: 'chown', value: '1:2' }, { name: 'exclude', value: 'a b' }, { name: 'link', value: undefined }]);
  assert.equal(copy?.text, 'x y');
});

test('directives say how to read the rest', () => {
  const dockerfile = parseDockerfile('# syntax=docker/dockerfile:1.7-labs\n# escape=`\n# check=skip=JSONArgsRecommended;error=true\nFROM a\nRUN b `\n c\n', 'Dockerfile');
  assert.deepEqual([dockerfile.escape, dockerfile.check.error, [...dockerfile.check.skip]], ['`', true, ['JSONArgsRecommended']]);
  assert.equal(dockerfile.instructions[1]?.text, 'b  c');
  assert.equal(parseDockerfile('# a comment\n# escape=`\nFROM a\\\nb\n', 'Dockerfile').escape, '\\', 'behind a comment there are none');
});

test('mistakes are told with their line, and what to do', () => {
  for (const [text, at, message] of [
    ['FROM a\nCOPPY b c\n', 'Dockerfile:2:1', /no instruction "COPPY"/],
    ['FROM a\nRUN <<EOF\nb\n', 'Dockerfile:2:1', /<<EOF has no end/],
    ['FROM a\nUSER\n', 'Dockerfile:2:1', /USER lacks its arguments/],
    ['# escape=x\nFROM a\n', 'Dockerfile:1:1', /can't be "x"/],
    ['# syntax=example.com/mine\nFROM a\n', 'Dockerfile:1:1', /frontend of its own/],
    ['# escape=`\n# escape=`\nFROM a\n', 'Dockerfile:2:1', /given twice/],
    ['# nothing\n', 'Dockerfile:1:1', /no instruction/],
  ] as const) {
    assert.throws(() => parse(text), { at, message }, text);
  }
});
