import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { errnoOf } from '../../lib/errors.ts';
import type { ContainerAddresses } from './endpoint.ts';
import { addressText } from '../../spec/address.ts';

/** Files of the bundle that a container sees in place of its image's, by where it sees them. */
export function nameFilePaths(bundle: string): Readonly<Record<'/etc/hosts' | '/etc/hostname' | '/etc/resolv.conf', string>> {
  return { '/etc/hosts': path.join(bundle, 'hosts'), '/etc/hostname': path.join(bundle, 'hostname'), '/etc/resolv.conf': path.join(bundle, 'resolv.conf') };
}

/** Writes them, in place: a running container has them mounted. */
export async function writeNameFiles(bundle: string, hostname: string, addresses: ContainerAddresses): Promise<void> {
  const files = nameFilePaths(bundle);
  const [resolvConf] = await Promise.all([
    containerResolvConf(),
    writeFile(files['/etc/hosts'], hostsText(hostname, addresses)),
    writeFile(files['/etc/hostname'], `${hostname}\n`),
  ]);
  await writeFile(files['/etc/resolv.conf'], resolvConf);
}

function hostsText(hostname: string, { v4, v6 }: ContainerAddresses): string {
  const short = hostname.split('.')[0] ?? hostname;
  const names = short === hostname ? hostname : `${hostname} ${short}`;
  const own = [v4, ...(v6 ? [v6] : [])].map((address) => `${addressText(address)}\t${names}\n`);
  return `127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\nff02::1\tip6-allnodes\nff02::2\tip6-allrouters\n${own.join('')}`;
}

/** systemd-resolved's own stub listens on the node's loopback only; this file of its has the servers behind that. */
const SOURCES = ['/etc/resolv.conf', '/run/systemd/resolve/resolv.conf'];

async function containerResolvConf(): Promise<string> {
  for (const source of SOURCES) {
    const text = resolvConfFor(await readFile(source, 'utf8').catch(absent));
    if (text !== undefined) return text;
  }
  return '# The node has no name server that a container could reach.\n';
}

/** The node's resolver configuration without servers that only the node can reach; undefined when no server is left. */
export function resolvConfFor(text: string): string | undefined {
  const lines = text.split('\n').filter((line) => !/^\s*nameserver\s+(127\.|::1\b|fe80:)/i.test(line));
  return lines.some((line) => /^\s*nameserver\s/.test(line)) ? lines.join('\n') : undefined;
}

function absent(error: unknown): string {
  if (errnoOf(error) === 'ENOENT') return '';
  throw error;
}
