import type { AddressInfo, Server } from 'node:net';
import { errnoOf, MooringError } from './errors.ts';

export interface TcpAddress {
  /** A name or an address, IPv6 without brackets. */
  readonly host: string;
  /** 0 for any free one. */
  readonly port: number;
}

/** Listens, and gives back the port. Throws `Invalid` or `Conflict`, naming what is served and the flag that says where, when it can't listen there. */
export async function listenOnTcp(server: Server, address: TcpAddress, what: string, flag: string): Promise<number> {
  const listening = Promise.withResolvers<void>();
  server.once('error', listening.reject).listen(address.port, address.host, listening.resolve);
  try {
    await listening.promise;
  } catch (error) {
    throw cannotListen(error, address, what, flag);
  }
  server.off('error', listening.reject);
  return (server.address() as AddressInfo).port;
}

/** `HOST:PORT`, IPv6 in brackets. */
export function addressText({ host, port }: TcpAddress): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

/** What `HOST:PORT` says; no host stands for every address. Undefined when it is no address. */
export function parseTcpAddress(text: string): TcpAddress | undefined {
  const match = /^(?:\[(?<v6>[0-9a-fA-F:.%]+)\]|(?<host>[^:[\]/]*)):(?<port>\d{1,5})$/.exec(text);
  const port = Number(match?.groups?.['port']);
  if (match === null || port > 65535) return undefined;
  const host = match.groups?.['v6'] ?? match.groups?.['host'] ?? '';
  return { host: host === '' ? '::' : host, port };
}

function cannotListen(error: unknown, address: TcpAddress, what: string, flag: string): MooringError {
  const where = addressText(address);
  switch (errnoOf(error)) {
    case 'EADDRINUSE':
      return new MooringError('Conflict', `cannot serve ${what} on ${where}: the port is in use`, { fix: `stop what listens there, or give another ${flag}`, cause: error });
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return new MooringError('Invalid', `cannot serve ${what} on ${where}: this machine has no such address`, { fix: `give another ${flag}`, cause: error });
    default:
      return new MooringError('Unavailable', `cannot serve ${what} on ${where}`, { fix: `give another ${flag}`, cause: error });
  }
}
