import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { capture } from './process.ts';

/**
 * A named pipe in a folder that containers bind-mount: each writes a line as its first act, so that every engine is timed by the same
 * thing, the container's own process running, and none by its own word.
 */
export class SignalPipe implements AsyncDisposable {
  /** Bind-mount this at `/signal`. */
  readonly folder: string;
  readonly #reader: ChildProcess;
  #lines = 0;
  #wake: () => void = () => {};

  private constructor(folder: string, reader: ChildProcess) {
    this.folder = folder;
    this.#reader = reader;
    reader.stdout?.on('data', (chunk: Buffer) => {
      for (const byte of chunk) if (byte === 0x0a) this.#lines++;
      this.#wake();
    });
  }

  static async create(): Promise<SignalPipe> {
    const folder = await mkdtemp(join(tmpdir(), 'bench-signal-'));
    const pipe = join(folder, 'pipe');
    await capture('mkfifo', [pipe]);
    // Opened for both directions by the shell, so that the end of one writer is not the end of the stream.
    const reader = spawn('sh', ['-c', 'exec cat 0<>"$0"', pipe], { stdio: ['ignore', 'pipe', 'inherit'] });
    return new SignalPipe(folder, reader);
  }

  /** Lines that came so far. */
  get lines(): number {
    return this.#lines;
  }

  /** Settles when `count` lines have come in all; rejects after `timeout` ms. */
  async reach(count: number, timeout: number): Promise<void> {
    const deadline = performance.now() + timeout;
    while (this.#lines < count) {
      const left = deadline - performance.now();
      if (left <= 0) throw new Error(`${this.#lines} of ${count} containers had started after ${timeout} ms`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, left);
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#reader.kill();
    await rm(this.folder, { recursive: true });
  }
}

/** What every measured container runs: say so, then sleep. */
export const SIGNALLING_COMMAND = ['sh', '-c', 'echo > /signal/pipe; exec sleep 100000'];
