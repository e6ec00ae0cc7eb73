const MAX_LINES = 20;
const MAX_WIDTH = 500;

/** What people who know the usual failures would say. */
const HINTS: readonly (readonly [RegExp, string])[] = [
  [/Temporary failure (in name resolution|resolving)|bad address|Could not resolve host/, 'the network was not reached: see the name servers of the node, or --network'],
  [/No space left on device/, 'the disk is full: "mooring image prune" gives some back'],
  [/Unable to locate package/, 'run "apt-get update" in the same RUN'],
  [/Permission denied/, 'USER may not do that: run it before USER, or give the file to the user'],
];

/** The last lines of a command's output, for the message of its failure. */
export class OutputTail {
  readonly #lines: string[] = [];

  add(line: string): void {
    this.#lines.push(line.slice(0, MAX_WIDTH));
    if (this.#lines.length > MAX_LINES) this.#lines.shift();
  }

  text(): string {
    return this.#lines.length === 0 ? ', and wrote nothing' : `; the last that it wrote:\n${this.#lines.map((line) => `  | ${line}`).join('\n')}`;
  }

  hint(): string | undefined {
    return HINTS.find(([pattern]) => this.#lines.some((line) => pattern.test(line)))?.[1];
  }
}
