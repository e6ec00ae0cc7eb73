import { watch } from 'node:fs';
import path from 'node:path';

import type { LogLine, LogOptions } from '../engine.ts';
import { LogChain } from './log-chain.ts';

/** The lines of a rotated log, oldest first, as many at a time as are read at once; with `follow`, also those to come, until `over` or `signal` is aborted or the log's folder is gone. */
export async function* readLog(file: string, options: LogOptions): AsyncGenerator<readonly LogLine[]> {
  const { follow, tail, since, over, signal } = options;
  const late = since === undefined ? (lines: readonly LogLine[]) => lines : from(since);
  await using chain = new LogChain(file);
  // Before the first look, so that no rotation goes unseen. Each is answered at once, however far behind the reader is.
  using changes = follow ? new FolderChanges(path.dirname(file), signal, (name) => void (name === path.basename(file) && chain.collect().catch(() => {}))) : undefined;
  await chain.collect();
  if (tail !== undefined) await chain.seekTail(tail);
  const wake = (): void => changes?.wake();
  over?.addEventListener('abort', wake, { once: true });
  let isLastRound = false;
  while (!signal.aborted) {
    const { current, hasSuccessor: isComplete } = chain;
    for await (const lines of current?.read() ?? []) {
      if (signal.aborted) return;
      const wanted = late(lines);
      if (wanted.length > 0) yield wanted;
    }
    if (isComplete) {
      if (await chain.advance()) yield [gap()];
      continue;
    }
    if (!changes || isLastRound) return;
    isLastRound = over?.aborted ?? false;
    await chain.collect();
    if (isLastRound || chain.current !== current || chain.hasSuccessor) continue;
    // An open file keeps its folder from ending.
    if (await current?.isDeleted()) await chain.drop();
    if (!(await changes.next())) return;
  }
}

function gap(): LogLine {
  const time = new Date().toISOString().replace('Z', '000000Z');
  return { time, stream: 'stderr', bytes: Buffer.from('[mooring: lines may be missing here: the log was rotated faster than it was read]'), complete: true };
}

/** Lines come in the order of time, so that one look at each is enough until the first that is late enough. */
function from(since: number): (lines: readonly LogLine[]) => readonly LogLine[] {
  let reached = false;
  return (lines) => {
    if (reached) return lines;
    const first = lines.findIndex(({ time }) => Date.parse(time) >= since);
    reached = first >= 0;
    return reached ? lines.slice(first) : [];
  };
}

/** Says when anything in a folder has changed since it was last asked; and at once which file came or went. */
class FolderChanges implements Disposable {
  readonly #close: () => void;
  #changed = false;
  #over = false;
  #wake: () => void = () => {};

  constructor(folder: string, signal: AbortSignal, onName: (name: string | null) => void) {
    const watcher = watch(folder, (event, name) => {
      this.#changed = true;
      // inotify tells of the folder's own end under its own name.
      if (event === 'rename' && name === path.basename(folder)) this.#over = true;
      if (event === 'rename') onName(name);
      this.#wake();
    });
    // At once, and not when the reader comes back: one that was aborted may never do so.
    const end = () => {
      this.#over = true;
      watcher.close();
      this.#wake();
    };
    watcher.on('error', end);
    signal.addEventListener('abort', end, { once: true });
    this.#close = () => {
      watcher.close();
      signal.removeEventListener('abort', end);
    };
  }

  /** As if there had been a change. */
  wake(): void {
    this.#changed = true;
    this.#wake();
  }

  /** True after a change, false once there will be none any more. */
  async next(): Promise<boolean> {
    while (!this.#changed && !this.#over) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#wake = resolve;
      await promise;
    }
    const changed = this.#changed && !this.#over;
    this.#changed = false;
    return changed;
  }

  [Symbol.dispose](): void {
    this.#close();
  }
}
