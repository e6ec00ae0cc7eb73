import { MooringError } from './errors.ts';

/** Looks for a sequence of keys in what is typed. */
export class DetachKeys {
  readonly #keys: Buffer;
  /** How many of the keys have been typed; they are held back until it is known what they were. */
  #typed = 0;

  /** `ctrl-p,ctrl-q`, `ctrl-]`, `x`: keys with commas between them. Empty for none. Throws `Invalid`. */
  constructor(text: string) {
    this.#keys = Buffer.from(text === '' ? [] : text.split(',').map((key) => codeOf(key, text)));
  }

  /** What goes on to the process; `found` once the keys have been typed: nothing behind them counts. */
  take(bytes: Buffer): { readonly bytes: Buffer; readonly found: boolean } {
    const on: number[] = [];
    for (const byte of bytes) {
      if (this.#keys.length > 0 && byte === this.#keys[this.#typed]) {
        this.#typed++;
        if (this.#typed === this.#keys.length) return { bytes: Buffer.from(on), found: true };
        continue;
      }
      on.push(...this.#keys.subarray(0, this.#typed));
      this.#typed = byte === this.#keys[0] && this.#keys.length > 0 ? 1 : 0;
      if (this.#typed === 0) on.push(byte);
    }
    return { bytes: Buffer.from(on), found: false };
  }
}

function codeOf(key: string, text: string): number {
  const control = /^ctrl-([a-z@[\\\]^_])$/.exec(key)?.[1];
  if (control !== undefined) return control.toUpperCase().charCodeAt(0) & 0x1f;
  if (/^[\x21-\x7e]$/.test(key)) return key.charCodeAt(0);
  throw new MooringError('Invalid', `--detach-keys "${text}": "${key}" is no key`, { fix: 'write keys such as ctrl-p,ctrl-q or ctrl-] or x' });
}
