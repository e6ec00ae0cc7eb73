import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { capture, timeCommand } from '../process.ts';

/** Podman with its storage in a folder of the bench's own. It has no daemon. */
export class PodmanPeer implements AsyncDisposable {
  readonly folder: string;
  readonly #global: readonly string[];

  private constructor(folder: string) {
    this.folder = folder;
    this.#global = ['--root', join(folder, 'root'), '--runroot', join(folder, 'run'), '--storage-driver', 'overlay'];
  }

  static async start(): Promise<PodmanPeer> {
    const peer = new PodmanPeer(await mkdtemp(join(tmpdir(), 'bench-podman-')));
    await peer.podman('info');
    return peer;
  }

  podman(...args: readonly string[]): Promise<string> {
    return capture('podman', [...this.#global, ...args]);
  }

  time(...args: readonly string[]): Promise<number> {
    return timeCommand('podman', [...this.#global, ...args]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // It keeps its overlay folder a mount of its own.
    await capture('umount', [join(this.folder, 'root/overlay')]).catch((error: unknown) => {
      if (!String(error).includes('not mounted')) throw error;
    });
    await rm(this.folder, { recursive: true, force: true });
  }
}
