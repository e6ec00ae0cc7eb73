import type { TestEvent } from 'node:test/reporters';

/** A node:test reporter that prints each test file's counts as it ends, a line of JSON: `{file, passed, failed}`. */
// oxlint-disable-next-line import/no-default-export -- node loads a reporter by its default export
export default async function* countReporter(source: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  for await (const event of source) {
    // The whole run has a summary too, which names no file.
    if (event.type !== 'test:summary' || event.data.file === undefined) continue;
    const { tests, passed, skipped, todo } = event.data.counts;
    yield `${JSON.stringify({ file: event.data.file, passed, failed: tests - passed - skipped - todo })}\n`;
  }
}
