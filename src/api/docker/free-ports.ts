import { readFile } from 'node:fs/promises';
import type { Container } from '../../spec/container.ts';
import type { PortWish } from './create/create-context.ts';

const TABLES = { TCP: ['tcp', 'tcp6'], UDP: ['udp', 'udp6'], SCTP: [] } as const;
/** The state of a TCP socket that listens (include/net/tcp_states.h). */
const LISTENING = '0A';

/** Finds ports of the node that neither a container wants nor a process has, each one once. */
export async function freePorts(containers: readonly Container[]): Promise<(wish: PortWish) => number | undefined> {
  const taken = new Set(containers.flatMap(({ spec }) => spec.ports.flatMap(({ hostPort, containerPort, endPort = containerPort, protocol }) => (hostPort === undefined ? [] : Array.from({ length: endPort - containerPort + 1 }, (_, index) => `${protocol}/${hostPort + index}`)))));
  for (const [protocol, tables] of Object.entries(TABLES)) {
    for (const port of (await Promise.all(tables.map((table) => listening(table)))).flat()) taken.add(`${protocol}/${port}`);
  }
  return ({ protocol, first, last }) => {
    for (let port = first; port <= last; port++) {
      if (taken.has(`${protocol}/${port}`)) continue;
      taken.add(`${protocol}/${port}`);
      return port;
    }
    return undefined;
  };
}


/** Of the node's own network, proc_pid_net(5); UDP has no state that says so. */
async function listening(table: string): Promise<number[]> {
  const text = await readFile(`/proc/net/${table}`, 'utf8').catch(() => ''); // a kernel without IPv6 has no table of it
  return text.split('\n').slice(1).flatMap((line) => {
    const [, local, , state] = line.trim().split(/\s+/);
    return local !== undefined && (table.startsWith('udp') || state === LISTENING) ? [parseInt(local.slice(local.lastIndexOf(':') + 1), 16)] : [];
  });
}
