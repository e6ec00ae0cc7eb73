import { readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { errnoOf, MooringError } from '../../lib/errors.ts';

const NET = '/proc/sys/net';

/** Whether the kernel speaks IPv6 at all. */
export async function hasIPv6(): Promise<boolean> {
  return (await read('ipv6/conf/all/disable_ipv6')) === '0';
}

/**
 * Whether `::1` can be led to containers. Their answers come back by the bridge, and where br_netfilter has those translated while they are still on it, the kernel
 * drops them as what comes by a wire for a loopback address.
 */
export async function leadsLoopback6(): Promise<boolean> {
  return (await hasIPv6()) && (await read('bridge/bridge-nf-call-ip6tables')) !== '1';
}

interface Switch {
  readonly file: string;
  readonly why: string;
}

function switches(bridge: string, v6: boolean): Switch[] {
  return [
    { file: 'ipv4/ip_forward', why: 'nothing is forwarded between containers and the outside' },
    // Packets from 127.0.0.1 to a published port leave by the bridge; the table's guard drops what comes in from there for 127.0.0.0/8.
    { file: `ipv4/conf/${bridge}/route_localnet`, why: "the node's loopback does not reach published ports" },
    ...(v6 ? [{ file: 'ipv6/conf/all/forwarding', why: 'no IPv6 is forwarded between containers and the outside' }] : []),
  ];
}

/**
 * Turns on what bridging wants of the kernel. It stays on when the network goes: by then others may rely on it. Gives the names of what was off.
 */
export async function allowForwarding(bridge: string, v6: boolean): Promise<string[]> {
  const off = await forwardingFaults(bridge, v6);
  if (off.some(({ file }) => file === 'ipv6/conf/all/forwarding')) await keepRouterAdvertisements();
  for (const { file } of off) await write(file, '1');
  return off.map(({ file }) => file.replaceAll('/', '.'));
}

/**
 * Lets a bridge that is not up yet take its addresses without asking first whether somebody has them (RFC 4862 §5.4), which takes up to two seconds: for so long the
 * kernel has no address there to ask for neighbours from, and what comes from the outside by IPv6 is led to no container.
 */
export async function takeAddressesAtOnce(bridge: string): Promise<void> {
  const file = `ipv6/conf/${bridge}/accept_dad`;
  if ((await read(file)) !== undefined) await write(file, '0');
}

/** What of it is off. */
export async function forwardingFaults(bridge: string, v6: boolean): Promise<Switch[]> {
  const states = await Promise.all(switches(bridge, v6).map(async (each) => ({ each, on: (await read(each.file)) === '1' })));
  return states.filter(({ on }) => !on).map(({ each }) => each);
}

/** A router takes no advertisements, and the node would lose its own default route with them: `accept_ra` 2 is "even when forwarding" (ip-sysctl). */
async function keepRouterAdvertisements(): Promise<void> {
  for (const link of await readdir(path.join(NET, 'ipv6/conf'))) {
    const file = `ipv6/conf/${link}/accept_ra`;
    if ((await read(file)) === '1') await write(file, '2');
  }
}

async function read(file: string): Promise<string | undefined> {
  try {
    return (await readFile(path.join(NET, file), 'utf8')).trim();
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

async function write(file: string, value: string): Promise<void> {
  try {
    await writeFile(path.join(NET, file), value);
  } catch (cause) {
    throw new MooringError('Unavailable', `set ${file.replaceAll('/', '.')} to ${value}`, { cause, fix: 'bridge networks want /proc/sys to be writable' });
  }
}
