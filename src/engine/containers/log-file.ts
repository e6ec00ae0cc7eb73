import { type FileHandle, open } from 'node:fs/promises';

import { errnoOf } from '../../lib/errors.ts';
import type { LogLine } from '../engine.ts';

const CHUNK = 64 * 1024;
const NEWLINE = 0x0a;
const SPACE = 0x20;
const COLON = 0x3a;
const FULL = 0x46;
const PARTIAL = 0x50;
/** Of `stdout` and `stderr`. */
const STREAM_LENGTH = 6;

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

  /** The whole lines from where the last reading ended to the present end, as many at a time as are read at once. A line still being written waits for its end. */
  async *read(): AsyncGenerator<readonly LogLine[]> {
    let rest = Buffer.alloc(0);
    for (let position = this.#offset; ; ) {
      const { bytesRead, buffer } = await this.#handle.read({ buffer: Buffer.allocUnsafe(CHUNK), position });
      if (bytesRead === 0) return;
      position += bytesRead;
      const data = Buffer.concat([rest, buffer.subarray(0, bytesRead)]);
      const lines: LogLine[] = [];
      let start = 0;
      for (let end = data.indexOf(NEWLINE); end >= 0; end = data.indexOf(NEWLINE, start)) {
        const line = parseLine(data, start, end);
        if (line) lines.push(line);
        start = end + 1;
      }
      rest = data.subarray(start);
      this.#offset = position - rest.length;
      if (lines.length > 0) yield lines;
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
      const ends = parseLine(entry, 0, entry.length - 1)?.complete ?? false;
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

/** One entry of the CRI log format, `<time> <stream> <F or P> <text>`, between two places of a buffer; undefined for anything else. */
function parseLine(data: Buffer, start: number, end: number): LogLine | undefined {
  const stream = data.indexOf(SPACE, start) + 1;
  const tag = stream + STREAM_LENGTH + 1;
  if (stream === 0 || tag >= end || data[tag - 1] !== SPACE) return undefined;
  const name = data.toString('latin1', stream, tag - 1);
  const complete = data[tag] === FULL;
  if ((name !== 'stdout' && name !== 'stderr') || (!complete && data[tag] !== PARTIAL)) return undefined;
  let text = tag + 1;
  // Further tags may follow the first.
  if (data[text] === COLON) while (text < end && data[text] !== SPACE) text++;
  if (text < end && data[text] === SPACE) text++;
  return { time: data.toString('latin1', start, stream - 1), stream: name, bytes: data.subarray(text, end), complete };
}
