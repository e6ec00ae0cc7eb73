import assert from 'node:assert/strict';
import test from 'node:test';
import { BuildLines, commandFailure } from '../../../../src/api/docker/build-lines.ts';
import type { BuildStep } from '../../../../src/engine/build/progress.ts';

const step = (id: number, text: string, state: BuildStep['state'], more: Partial<BuildStep> = {}): BuildStep => ({ type: 'STEP', id, stage: '0', text, at: `Dockerfile:${id}:1`, state, place: { number: id, count: 4 }, ...more });

function told(labels: ReadonlyMap<string, string> = new Map()): { readonly lines: BuildLines; readonly text: () => string } {
  let all = '';
  const lines = new BuildLines((text) => (all += text), labels);
  return { lines, text: () => all };
}

test('steps come as they are built, with what they write', () => {
  const { lines, text } = told();
  lines.take(step(1, 'FROM busybox', 'Started'));
  assert.equal(text(), '', 'a base is told once it is there');
  lines.take(step(1, 'FROM busybox', 'Done'));
  lines.take(step(2, 'RUN ls', 'Started'));
  lines.take({ type: 'OUTPUT', id: 2, stream: 'stdout', text: 'bin' });
  assert.equal(text(), 'Step 1/4 : FROM busybox\nStep 2/4 : RUN ls\nbin\n');
  lines.take({ type: 'OUTPUT', id: 2, stream: 'stderr', text: 'oh' });
  lines.take(step(2, 'RUN ls', 'Done'));
  lines.take(step(3, 'COPY a /', 'Started'));
  lines.take(step(3, 'COPY a /', 'Cached'));
  assert.ok(text().endsWith('\u001B[91moh\n\u001B[0mStep 3/4 : COPY a /\n ---> Using cache\n'));
});

test('stages side by side are told one after the other, and nothing of them is lost', () => {
  const { lines, text } = told(new Map([['a', 'b']]));
  lines.take(step(3, 'FROM base', 'Started'));
  lines.take(step(1, 'FROM busybox AS base', 'Started'));
  lines.take(step(1, 'FROM busybox AS base', 'Done'));
  lines.take(step(2, 'RUN one', 'Started'));
  lines.take(step(4, 'RUN two', 'Started'));
  lines.take({ type: 'OUTPUT', id: 4, stream: 'stdout', text: 'of two' });
  lines.take({ type: 'OUTPUT', id: 2, stream: 'stdout', text: 'of one' });
  lines.take(step(4, 'RUN two', 'Done'));
  lines.take(step(2, 'RUN one', 'Done'));
  lines.take(step(3, 'FROM base', 'Done'));
  lines.finish();
  assert.equal(text(), 'Step 1/5 : FROM busybox AS base\nStep 2/5 : RUN one\nof one\nStep 4/5 : RUN two\nof two\nStep 3/5 : FROM base\nStep 5/5 : LABEL a=b\n');
});

test('a command that failed is told in the words and with the code that clients go by', () => {
  const { lines } = told();
  lines.take(step(2, 'RUN --mount=type=tmpfs,target=/t exit 4', 'Started'));
  lines.take(step(2, 'RUN --mount=type=tmpfs,target=/t exit 4', 'Failed', { exitCode: 4 }));
  assert.deepEqual(lines.failed && commandFailure(lines.failed), { message: "The command '/bin/sh -c exit 4' returned a non-zero code: 4", code: 4 });
  assert.equal(commandFailure(step(1, 'RUN ["a", "b"]', 'Failed', { exitCode: 1 }))?.message, "The command 'a b' returned a non-zero code: 1");
  assert.equal(commandFailure(step(1, 'COPY a b', 'Failed')), undefined);
});
