/**
 * Runs in a user namespace of its own, where a test may take inotify away without anybody else missing it (namespaces(7), `user.max_inotify_*`).
 * Says on standard output, one JSON array a line: the problems' messages and the names that are desired, at each change of either.
 */
import { setInterval } from 'node:timers/promises';
import { Harness } from './harness.ts';

const [base, dir] = process.argv.slice(2);
if (base === undefined || dir === undefined) throw new Error('usage: starved-source.ts BASE DIR');
const harness = new Harness(base, dir);
const source = await harness.start({ rescanIntervalMs: 100 });
let last = '';
for await (const _ of setInterval(5)) {
  const line = JSON.stringify([source.problems().map(({ message }) => message), harness.names()]);
  if (line !== last) process.stdout.write(`${line}\n`);
  last = line;
}
