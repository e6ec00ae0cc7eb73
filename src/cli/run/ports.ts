import { isIP } from 'node:net';
import { badFlag } from './bad-flag.ts';
import { keyValues } from './csv.ts';

/** One port of the host that leads to one of the container; as Docker's PortBinding. */
export interface Binding {
  readonly HostIp: string;
  /** Empty: any; `8000-8010`: any of these. */
  readonly HostPort: string;
}

export interface Ports {
  /** `80/tcp`, of --publish and --expose. */
  readonly exposed: readonly string[];
  readonly bindings: Readonly<Record<string, readonly Binding[]>>;
}

interface Range {
  readonly first: number;
  readonly last: number;
}

const PROTOCOLS = ['tcp', 'udp', 'sctp'];
const HOW = 'write [ADDRESS:][HOST PORT:]CONTAINER PORT[/tcp|udp|sctp]; a port may be a range such as 8000-8010';

export function portsOf(publish: readonly string[], expose: readonly string[]): Ports {
  const exposed = new Set<string>();
  const bindings: Record<string, Binding[]> = {};
  for (const text of publish) {
    for (const { port, binding } of published(text)) {
      exposed.add(port);
      (bindings[port] ??= []).push(binding);
    }
  }
  for (const text of expose) {
    if (text.includes(':')) throw badFlag('--expose', text, 'names a port of the host, too', 'publish it with -p');
    const [ports = '', protocol = 'tcp'] = text.split('/');
    const known = protocolOf('--expose', text, protocol);
    for (const port of numbersOf(rangeOf('--expose', text, ports))) exposed.add(`${port}/${known}`);
  }
  return { exposed: [...exposed], bindings };
}

/** `80`, `8080:80`, `8000-8010:80`, `127.0.0.1:53:53/udp`, `[::1]::80`, `target=80,published=8080`. */
function published(given: string): { port: string; binding: Binding }[] {
  const wrong = (why: string): Error => badFlag('--publish', given, why, HOW);
  const { ip, host, container, protocol } = given.includes('=') ? longForm(given) : shortForm(given);
  const known = protocolOf('--publish', given, protocol);
  if (ip !== '' && isIP(ip) === 0) throw wrong(`${ip} is no address`);
  if (container === '') throw wrong('names no port of the container');
  const inside = rangeOf('--publish', given, container);
  const outside = host === '' ? undefined : rangeOf('--publish', given, host, 0);
  const [count, hostCount] = [inside.last - inside.first, outside === undefined ? 0 : outside.last - outside.first];
  if (outside !== undefined && count !== hostCount && count !== 0) throw wrong('both ranges must be of one length');
  return numbersOf(inside).map((port, index) => {
    const HostPort = outside === undefined ? '' : count === hostCount ? String(outside.first + index) : `${outside.first}-${outside.last}`;
    return { port: `${port}/${known}`, binding: { HostIp: ip, HostPort } };
  });
}

interface Parts {
  readonly ip: string;
  readonly host: string;
  readonly container: string;
  readonly protocol: string;
}

/** What stands between colons, read from the end: an address of IPv6 has some of its own. */
function shortForm(given: string): Parts {
  const slash = given.lastIndexOf('/');
  const parts = (slash < 0 ? given : given.slice(0, slash)).split(':');
  const container = parts.pop() ?? '';
  const host = parts.pop() ?? '';
  return { ip: parts.join(':').replace(/^\[(.*)\]$/, '$1'), host, container, protocol: slash < 0 ? 'tcp' : given.slice(slash + 1) };
}

function longForm(given: string): Parts {
  const values = new Map(keyValues('--publish', given));
  for (const key of values.keys()) if (!['target', 'published', 'protocol', 'mode'].includes(key)) throw badFlag('--publish', given, `there is no "${key}"`, 'write target=80,published=8080,protocol=tcp');
  return { ip: '', host: values.get('published') ?? '', container: values.get('target') ?? '', protocol: values.get('protocol') ?? 'tcp' };
}

function protocolOf(flag: string, given: string, text: string): string {
  const protocol = text.toLowerCase();
  if (!PROTOCOLS.includes(protocol)) throw badFlag(flag, given, `${text} is no protocol`, 'write tcp, udp or sctp');
  return protocol;
}

function rangeOf(flag: string, given: string, text: string, least = 1): Range {
  const [first = '', last = first, ...more] = text.split('-');
  const isPort = (word: string): boolean => /^\d{1,5}$/.test(word) && Number(word) >= least && Number(word) <= 65_535;
  if (more.length > 0 || !isPort(first) || !isPort(last) || Number(first) > Number(last)) throw badFlag(flag, given, `${text} is neither a port nor a range of ports`, HOW);
  return { first: Number(first), last: Number(last) };
}

function numbersOf({ first, last }: Range): number[] {
  return Array.from({ length: last - first + 1 }, (_, index) => first + index);
}
