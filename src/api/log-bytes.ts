import type { LogLine } from '../engine/engine.ts';
import { HEAD_BYTES, writeHead } from './stdcopy.ts';

const NEWLINE = 0x0a;
const SPACE = 0x20;

export interface LogForm {
  /** Each entry in a frame that tells its stream; without, as the container wrote it. */
  readonly framed: boolean;
  /** Each line begins with its time. */
  readonly timestamps: boolean;
}

/** Log lines as a client is sent them: one buffer a batch, since a write for each line is what would cost most. */
export class LogBytes {
  readonly #form: LogForm;
  readonly #atStart = { stdout: true, stderr: true };

  constructor(form: LogForm) {
    this.#form = form;
  }

  of(lines: readonly LogLine[]): Buffer {
    const { framed, timestamps } = this.#form;
    const room = lines.reduce((sum, { time, bytes }) => sum + HEAD_BYTES + time.length + bytes.length + 2, 0);
    const target = Buffer.allocUnsafe(room);
    let end = 0;
    for (const { time, stream, bytes, complete } of lines) {
      const head = end;
      if (framed) end += HEAD_BYTES;
      const start = end;
      if (timestamps && this.#atStart[stream]) {
        end += target.write(time, end, 'latin1');
        target[end++] = SPACE;
      }
      end += bytes.copy(target, end);
      if (complete) target[end++] = NEWLINE;
      if (framed) writeHead(target, head, stream, end - start);
      this.#atStart[stream] = complete;
    }
    return target.subarray(0, end);
  }
}
