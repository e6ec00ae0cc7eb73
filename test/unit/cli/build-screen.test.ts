import assert from 'node:assert/strict';
import { test } from 'node:test';

import { BuildScreen } from '../../../src/cli/output/build-screen.ts';
import type { Io } from '../../../src/cli/io.ts';

const step = { type: 'STEP', id: 3, stage: 'one', text: 'RUN make', at: 'Dockerfile:2:1' } as const;

function fake(): { readonly io: Io; readonly out: () => string; readonly err: () => string } {
  let [out, err] = ['', ''];
  const io = { out: (text: string) => void (out += text), err: (text: string) => void (err += text), now: () => 2000, rows: () => 24, columns: () => 80 } as unknown as Io;
  return { io, out: () => out, err: () => err };
}

test('without a terminal each event is a line that says its step', () => {
  const { io, out, err } = fake();
  using screen = new BuildScreen(io, false);
  screen.show({ ...step, state: 'Started' });
  screen.show({ type: 'OUTPUT', id: 3, stream: 'stdout', text: 'made' });
  screen.show({ type: 'DETAIL', id: 3, text: 'fetches' });
  screen.show({ ...step, state: 'Done', seconds: 1.25 });
  screen.show({ ...step, id: 4, state: 'Cached', seconds: 0 });
  screen.show({ type: 'WARNING', rule: 'Rule', message: 'odd', at: 'Dockerfile:1:1' });
  assert.equal(out(), '#3 [one] RUN make\n#3 made\n#3 fetches\n#3 DONE 1.3s\n#4 CACHED\n');
  assert.equal(err(), 'warning: Dockerfile:1:1: odd (Rule)\n');
});

test('on a terminal steps that run show their last output, and those that are done do not', () => {
  const { io } = fake();
  using screen = new BuildScreen(io, true);
  screen.show({ ...step, state: 'Started' });
  for (const text of ['1', '2', '3', '4', '5', '6', '7']) screen.show({ type: 'OUTPUT', id: 3, stream: 'stdout', text });
  assert.equal(screen.render(), '> [one] RUN make 0.0s\n    | 2\n    | 3\n    | 4\n    | 5\n    | 6\n    | 7');
  screen.show({ ...step, state: 'Done', seconds: 2 });
  assert.equal(screen.render(), '= [one] RUN make 2.0s');
});
