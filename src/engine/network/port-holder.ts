import { readdir, readFile, readlink } from 'node:fs/promises';
import path from 'node:path';
import { errnoOf } from '../../lib/errors.ts';
import { addressText } from '../../spec/address.ts';
import type { PublishedPort } from './published-port.ts';

/** A socket of the node itself that waits for what a published port would take from it. */
interface Listener {
  readonly address: string;
  readonly port: number;
  readonly inode: string;
}

const LISTENING = '0A'; // TCP_LISTEN
const UNCONNECTED = '07'; // TCP_CLOSE, as a UDP socket without a peer has it

const DNS_PORT = 53;

/**
 * Which process of the node has a port, or one of the range, already, for people: `nginx (pid 812)`. Undefined when none has. What serves names at one of
 * the `gateways` of our networks is in nobody's way.
 */
export async function holderOf(port: PublishedPort, gateways: ReadonlySet<string>): Promise<{ readonly port: PublishedPort; readonly process: string } | undefined> {
  const { protocol, hostIP, hostPort, count } = port;
  if (protocol === 'sctp') return undefined; // the kernel lists its endpoints without their namespace
  const tables = await Promise.all([protocol, `${protocol}6`].map((name) => readFile(`/proc/self/net/${name}`, 'utf8').catch(absent)));
  const found = tables
    .flatMap((text) => listenersIn(text, protocol === 'tcp' ? LISTENING : UNCONNECTED))
    .find((each) => each.port >= hostPort && each.port < hostPort + count && !(each.port === DNS_PORT && gateways.has(each.address)) && (hostIP === undefined || isAny(each.address) || isAny(hostIP) || each.address === hostIP));
  return found && { port: { ...port, hostPort: found.port, count: 1 }, process: await processOf(found.inode) };
}

/** Lines of /proc/net/tcp and its like (proc_net_tcp): addresses as hexadecimal words in the machine's byte order. */
export function listenersIn(text: string, state: string): Listener[] {
  return text
    .split('\n')
    .slice(1)
    .flatMap((line) => {
      const [, local = '', , status, , , , , , inode = ''] = line.trim().split(/\s+/);
      const [address = '', port = ''] = local.split(':');
      if (status !== state) return [];
      const bytes = Buffer.from(address, 'hex');
      return [{ address: addressText(bytes.swap32()), port: Number.parseInt(port, 16), inode }];
    });
}

function isAny(address: string): boolean {
  return address === '0.0.0.0' || address === '::';
}

async function processOf(inode: string): Promise<string> {
  for (const pid of await readdir('/proc')) {
    if (!/^\d+$/.test(pid)) continue;
    const fds = await readdir(`/proc/${pid}/fd`).catch(() => []); // gone meanwhile
    for (const fd of fds) {
      if ((await readlink(`/proc/${pid}/fd/${fd}`).catch(() => '')) !== `socket:[${inode}]`) continue;
      const program = await readlink(`/proc/${pid}/exe`).catch(() => 'a process');
      return `${path.basename(program)} (pid ${pid})`;
    }
  }
  return 'a process of the node';
}

function absent(error: unknown): string {
  if (errnoOf(error) === 'ENOENT') return '';
  throw error;
}
