import { once } from 'node:events';

/** Wakes whoever waits for something to come. What has come is for the others to keep. */
export class Bell {
  readonly #target = new EventTarget();

  ring(): void {
    this.#target.dispatchEvent(new Event('ring'));
  }

  /** Settles at the next ring with true, or once the signal is aborted with false. */
  async next(signal?: AbortSignal): Promise<boolean> {
    try {
      await once(this.#target, 'ring', { ...(signal && { signal }) });
      return true;
    } catch (error) {
      if (signal?.aborted) return false;
      throw error;
    }
  }
}
