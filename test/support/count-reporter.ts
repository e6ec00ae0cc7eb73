import type { TestEvent } from 'node:test/reporters';

/** A node:test reporter that prints, at the end, the run's counts as one line of JSON. */
// oxlint-disable-next-line import/no-default-export -- node loads a reporter by its default export
export default async function* countReporter(source: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  for await (const event of source) {
    // Each file has a summary too; the run's own names no file.
    if (event.type === 'test:summary' && event.data.file === undefined) {
      yield `${JSON.stringify(event.data.counts)}\n`;
    }
  }
}
