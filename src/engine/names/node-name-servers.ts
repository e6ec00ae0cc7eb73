import { readFile, stat } from 'node:fs/promises';
import { isIP } from 'node:net';
import { errnoOf } from '../../lib/errors.ts';
import type { Clock } from '../../lib/clock.ts';

/** resolv.conf(5): MAXNS, and the comment characters. */
const MOST_SERVERS = 3;
const NAMESERVER = /^\s*nameserver\s+(\S+)/;

/** Looked at again at most this often, and only while somebody asks. */
const FRESH_MS = 1_000;

/** The node's own name servers, as /etc/resolv.conf has them now: those on its loopback too, for it is the node that asks. */
export class NodeNameServers {
  readonly #path: string;
  readonly #clock: Clock;
  #seenAt = -Infinity;
  #stamp = '';
  #servers: readonly string[] = [];

  constructor(path: string, clock: Clock) {
    this.#path = path;
    this.#clock = clock;
  }

  async current(): Promise<readonly string[]> {
    const now = this.#clock.now();
    if (Math.abs(now - this.#seenAt) < FRESH_MS) return this.#servers;
    this.#seenAt = now;
    try {
      const { ino, mtimeNs, size } = await stat(this.#path, { bigint: true });
      const stamp = `${ino} ${mtimeNs} ${size}`;
      if (stamp !== this.#stamp) {
        this.#servers = nameServersIn(await readFile(this.#path, 'utf8'));
        this.#stamp = stamp;
      }
    } catch (error) {
      if (errnoOf(error) !== 'ENOENT') throw error;
      this.#servers = [];
      this.#stamp = '';
    }
    return this.#servers;
  }
}

export function nameServersIn(text: string): string[] {
  const given = text.split('\n').flatMap((line) => NAMESERVER.exec(line)?.[1] ?? []);
  return given.filter((address) => isIP(address) !== 0).slice(0, MOST_SERVERS);
}
