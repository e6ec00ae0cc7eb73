const CRLF = Buffer.from('\r\n');
const MAX_LINE_BYTES = 64 * 1024;

/** Reads lines and byte runs from a stream of chunks. */
export class ByteReader {
  #buffered: Buffer = Buffer.alloc(0);
  readonly #source: AsyncIterator<Buffer>;

  constructor(source: AsyncIterable<Buffer>) {
    this.#source = source[Symbol.asyncIterator]();
  }

  /** One line without its CRLF. Throws when the stream ends first, or the line is absurdly long. */
  async line(): Promise<string> {
    for (;;) {
      const end = this.#buffered.indexOf(CRLF);
      if (end >= 0) return this.#take(end + CRLF.length).toString('latin1', 0, end);
      if (this.#buffered.length > MAX_LINE_BYTES) throw new Error('a header line is longer than 64 KiB');
      if (!(await this.#fill())) throw new Error('the connection ended in the middle of a response');
    }
  }

  /** The next bytes, at most `limit` of them; undefined at the end of the stream. */
  async some(limit: number): Promise<Buffer | undefined> {
    if (this.#buffered.length === 0 && !(await this.#fill())) return undefined;
    return this.#take(Math.min(limit, this.#buffered.length));
  }

  #take(length: number): Buffer {
    const taken = this.#buffered.subarray(0, length);
    this.#buffered = this.#buffered.subarray(length);
    return taken;
  }

  async #fill(): Promise<boolean> {
    const next = await this.#source.next();
    if (next.done === true) return false;
    this.#buffered = this.#buffered.length === 0 ? next.value : Buffer.concat([this.#buffered, next.value]);
    return true;
  }
}
