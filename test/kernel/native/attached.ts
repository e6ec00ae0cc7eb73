import { connect, type Socket } from 'node:net';
import { open } from 'node:fs/promises';
import { type AttachFrame, readFrames } from '../../../src/lib/attach-frames.ts';
import { eventually } from './support.ts';

/** A client of an attach socket that takes everything in as it comes. */
export class Attached {
  readonly socket: Socket;
  readonly frames: AttachFrame[] = [];
  #over = false;

  private constructor(socket: Socket) {
    this.socket = socket;
    void this.#read();
  }

  static over(socket: Socket): Attached {
    return new Attached(socket);
  }

  static async to(stateDir: string): Promise<Attached> {
    const attached = new Attached(await connectTo(stateDir));
    await eventually('the welcome', () => attached.frames[0]);
    return attached;
  }

  get text(): string {
    return this.#of('stdout');
  }

  get errors(): string {
    return this.#of('stderr');
  }

  get last(): AttachFrame | undefined {
    return this.frames.at(-1);
  }

  async seen(text: string): Promise<void> {
    await eventually(`${JSON.stringify(text)} is seen`, () => this.text.includes(text) || undefined).catch((error: unknown) => {
      throw new Error(`what was seen: ${JSON.stringify(this.text.slice(-2000))}`, { cause: error });
    });
  }

  async ended(): Promise<AttachFrame | undefined> {
    await eventually('the end of the stream', () => this.#over || undefined);
    return this.last;
  }

  async #read(): Promise<void> {
    try {
      for await (const frame of readFrames(this.socket as AsyncIterable<Buffer>)) this.frames.push(frame);
    } catch (error) {
      if (!this.socket.destroyed) throw error;
    }
    this.#over = true;
  }

  #of(kind: 'stdout' | 'stderr'): string {
    return Buffer.concat(this.frames.flatMap((frame) => (frame.kind === kind ? [frame.bytes] : []))).toString();
  }
}

export async function connectTo(stateDir: string): Promise<Socket> {
  const folder = await open(stateDir);
  try {
    const socket = connect(`/proc/self/fd/${folder.fd}/attach.sock`);
    await new Promise((resolve, reject) => socket.once('connect', resolve).once('error', reject));
    return socket;
  } finally {
    await folder.close();
  }
}
