import type { ReadStream } from 'node:tty';

const ENDING = { SIGHUP: 1, SIGINT: 2, SIGQUIT: 3, SIGTERM: 15 } as const;

/** Standard input's terminal, which passes every key on as it is until it is disposed of or the process ends, however it does. */
export class RawTerminal implements Disposable {
  readonly #stdin: ReadStream;
  readonly #restore = (): void => void this.#stdin.setRawMode(false);
  readonly #handlers = Object.entries(ENDING).map(([signal, number]) => ({ signal, end: () => process.exit(128 + number) }));

  constructor(stdin: ReadStream) {
    this.#stdin = stdin;
    process.on('exit', this.#restore);
    for (const { signal, end } of this.#handlers) process.on(signal, end);
    stdin.setRawMode(true);
  }

  [Symbol.dispose](): void {
    this.#restore();
    process.off('exit', this.#restore);
    for (const { signal, end } of this.#handlers) process.off(signal, end);
  }
}
