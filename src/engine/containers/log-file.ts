import { type FileHandle, open } from 'node:fs/promises';

import { errnoOf } from '../../lib/errors.ts';
import type { LogLine } from '../engine.ts';

const CHUNK = 64 * 1024;
const NEWLINE = 0x0a;

/** One file of a rotated log, open, with the place up to which it was read. */
export class LogFile {
  readonly inode: number;
  readonly #handle: FileHandle;
  #offset = 0;

  private constructor(handle: FileHandle, inode: number) {
    this.#handle = handle;
    this.inode = inode;
  }

  /** Undefined when there is no such file. */
  static async open(file: string): Promise<LogFile | undefined> {
    let handle: FileHandle;
    try {
      handle = await open(file);
    } catch (error) {
      if (errnoOf(error) === 'ENOENT') return undefined;
      throw error;
    }
    return new LogFile(handle, (await handle.stat()).ino);
  }

  /** The whole lines from where the last reading ended to the present end. A line still being written waits for its end. */
  async *read(): AsyncGenerator<LogLine> {
    let rest = Buffer.alloc(0);
    for (let position = this.#offset; ; ) {
      const { bytesRead, buffer } = await this.#handle.read({ buffer: Buffer.allocUnsafe(CHUNK), position });
      if (bytesRead === 0) return;
      position += bytesRead;
      let data = Buffer.concat([rest, buffer.subarray(0, bytesRead)]);
      for (let end = data.indexOf(NEWLINE); end >= 0; end = data.indexOf(NEWLINE)) {
        const line = parseLine(data.toString('utf8', 0, end));
        data = data.subarray(end + 1);
        this.#offset = position - data.length;
        if (line) yield line;
      }
      rest = data;
    }
  }

  /**
   * Moves the place of reading to the last `count` lines, looking from the end backwards. Gives how many lines are still wanted
   * of the files before this one. Entries of a line that was too long for the pump count as one.
   */
  async seekTail(count: number): Promise<number> {
    const { size } = await this.#handle.stat();
    let wanted = count;
    let start = size; // of the entries taken so far
    let scanned = size; // everything from here to `start` is in `data`, and is whole once a newline is found before it
    let data = Buffer.alloc(0);
    for (;;) {
      // `data` ends with the newline of the last entry that isn't taken yet.
      const newline = data.length < 2 ? -1 : data.lastIndexOf(NEWLINE, data.length - 2); // a negative offset would count from the end
      if (newline < 0 && scanned > 0) {
        const length = Math.min(CHUNK, scanned);
        const { buffer } = await this.#handle.read({ buffer: Buffer.alloc(length), length, position: scanned - length });
        scanned -= length;
        data = Buffer.concat([buffer, data]);
        if (scanned + length === size) {
          // A line still being written is none yet.
          const whole = data.lastIndexOf(NEWLINE) + 1;
          start -= data.length - whole;
          data = data.subarray(0, whole);
        }
        continue;
      }
      if (data.length === 0) break;
      const entry = data.subarray(newline + 1);
      const ends = parseLine(entry.toString('utf8', 0, entry.length - 1))?.complete ?? false;
      if (ends && wanted === 0) break;
      if (ends) wanted--;
      start -= entry.length;
      data = data.subarray(0, newline + 1);
    }
    this.#offset = start;
    return wanted;
  }

  async isDeleted(): Promise<boolean> {
    return (await this.#handle.stat()).nlink === 0;
  }

  async close(): Promise<void> {
    await this.#handle.close();
  }
}

/** One entry of the CRI log format, `<time> <stream> <F or P> <text>`; undefined for anything else. */
export function parseLine(line: string): LogLine | undefined {
  const match = /^(\S+) (stdout|stderr) ([FP])(?::\S*)? ?(.*)$/s.exec(line);
  if (!match) return undefined;
  const [, time = '', stream, tag, text = ''] = match;
  return { time, stream: stream as LogLine['stream'], text, complete: tag === 'F' };
}
