import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { errnoOf } from '../../lib/errors.ts';
import { addressText, canonicalAddress } from '../../spec/address.ts';
import type { ContainerSpec } from '../../spec/container.ts';
import type { ContainerAddresses } from './endpoint.ts';

export interface NameFiles {
  readonly hostname: string;
  /** It is in the node's own network, and has the node's names, too. */
  readonly onNode?: boolean;
  /** On each of its networks, in order. */
  readonly addresses: readonly ContainerAddresses[];
  readonly network: Pick<ContainerSpec['network'], 'dns' | 'extraHosts'>;
  /** Address of the name server that knows its neighbours, and passes all else on; undefined where there is none. */
  readonly nameServer: string | undefined;
}

/** Whether a container asks for files of its own that it would not get for its network alone. */
export function asksForNameFiles({ dns, extraHosts }: NameFiles['network']): boolean {
  return extraHosts.length + dns.servers.length + dns.searches.length + dns.options.length > 0;
}

/** Files of the bundle that a container sees in place of its image's, by where it sees them. */
export function nameFilePaths(bundle: string): Readonly<Record<'/etc/hosts' | '/etc/hostname' | '/etc/resolv.conf', string>> {
  return { '/etc/hosts': path.join(bundle, 'hosts'), '/etc/hostname': path.join(bundle, 'hostname'), '/etc/resolv.conf': path.join(bundle, 'resolv.conf') };
}

/** Writes them, in place: a running container has them mounted. */
export async function writeNameFiles(bundle: string, names: NameFiles): Promise<void> {
  const files = nameFilePaths(bundle);
  const nodes = names.onNode === true ? await readFile('/etc/hosts', 'utf8').catch(absent) : undefined;
  await Promise.all([
    writeFile(files['/etc/hosts'], hostsText(names, nodes)),
    writeFile(files['/etc/hostname'], `${names.hostname}\n`),
    resolvConf(names).then((text) => writeFile(files['/etc/resolv.conf'], text)),
  ]);
}

const LOOPBACK = '127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\nff02::1\tip6-allnodes\nff02::2\tip6-allrouters\n';

/** hosts(5). The container's own lines come behind `head`. */
export function hostsText({ hostname, addresses, network }: Omit<NameFiles, 'nameServer'>, head = LOOPBACK): string {
  const short = hostname.split('.')[0] ?? hostname;
  const own = short === hostname ? hostname : `${hostname} ${short}`;
  const lines = [
    ...addresses.flatMap(({ v4, v6 }) => [v4, ...(v6 ? [v6] : [])]).map((address) => `${addressText(address)}\t${own}`),
    ...network.extraHosts.map(({ ip, hostnames }) => `${canonicalAddress(ip)}\t${hostnames.join(' ')}`),
  ];
  return head + (head === '' || head.endsWith('\n') ? '' : '\n') + lines.map((line) => `${line}\n`).join('');
}

/** systemd-resolved's own stub listens on the node's loopback only; this file of its has the servers behind that. */
const SOURCES = ['/etc/resolv.conf', '/run/systemd/resolve/resolv.conf'];

async function resolvConf({ network: { dns }, nameServer, onNode = false }: NameFiles): Promise<string> {
  const nodes = await Promise.all(SOURCES.map((source) => readFile(source, 'utf8').catch(absent)));
  return resolvConfText(dns, nameServer, nodes, onNode ? () => true : isReachable);
}

/** A name server of ours that is being started anew is worth asking again after a second; one that knows every short name needs no search list first. */
const OUR_OPTIONS = ['ndots:0', 'timeout:1', 'attempts:5'];

/**
 * resolv.conf(5): what the container asks for, over what the node has.
 * @param nameServer Ours; it asks the container's or the node's servers itself.
 * @param nodes Texts of the node's configuration, the first choice first: that of which a container can reach a server counts.
 */
export function resolvConfText(dns: NameFiles['network']['dns'], nameServer: string | undefined, nodes: readonly string[], reaches: (server: string) => boolean = isReachable): string {
  const node = nodes.map(parseResolvConf);
  const reachable = node.find(({ servers }) => servers.some(reaches));
  const { searches, options } = reachable ?? node[0] ?? parseResolvConf('');
  const servers = nameServer !== undefined ? [nameServer] : dns.servers.length > 0 ? dns.servers : (reachable?.servers.filter(reaches) ?? []);
  const search = dns.searches.length > 0 ? dns.searches : searches;
  const wanted = [...dns.options, ...(nameServer !== undefined ? OUR_OPTIONS : []), ...options];
  const lines = [
    ...(servers.length === 0 ? ['# The node has no name server that a container could reach.'] : servers.map((server) => `nameserver ${server}`)),
    // A lone dot stands for no search list at all.
    ...(search.length > 0 && search.join() !== '.' ? [`search ${search.join(' ')}`] : []),
    ...(wanted.length > 0 ? [`options ${firstOfEach(wanted).join(' ')}`] : []),
  ];
  return `${lines.join('\n')}\n`;
}

interface ResolvConf {
  readonly servers: readonly string[];
  readonly searches: readonly string[];
  readonly options: readonly string[];
}

function parseResolvConf(text: string): ResolvConf {
  const lines = text.split('\n').map((line) => line.trim().split(/\s+/));
  const valuesOf = (...keys: readonly string[]): string[][] => lines.flatMap(([key = '', ...values]) => (keys.includes(key) && values.length > 0 ? [values] : []));
  // The last search list counts, and each server has a line of its own.
  return { servers: valuesOf('nameserver').flatMap(([server = '']) => [server]), searches: valuesOf('search', 'domain').at(-1) ?? [], options: valuesOf('options').flat() };
}

/** Not one on the node's loopback, nor one of a link that the container is not on. */
function isReachable(server: string): boolean {
  return !/^(127\.|::1$|fe80:)/i.test(server);
}

/** Of several with the same key, as `ndots:0` and `ndots:2`, the first. */
function firstOfEach(options: readonly string[]): string[] {
  const byKey = new Map<string, string>();
  for (const option of options) {
    const key = option.split(':')[0] ?? option;
    if (!byKey.has(key)) byKey.set(key, option);
  }
  return [...byKey.values()];
}

function absent(error: unknown): string {
  if (errnoOf(error) === 'ENOENT') return '';
  throw error;
}
