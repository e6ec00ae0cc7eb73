import type { ConnectRequest, DisconnectRequest } from '../../api/v1/supply-types.ts';
import type { ApplyResult } from '../../api/v1/types.ts';
import { MooringError } from '../../lib/errors.ts';
import { checkAddress, checkSubnet, contains, parseAddress, parseSubnet } from '../../spec/address.ts';
import type { Client } from '../client.ts';
import { EXIT } from '../exit.ts';
import type { Io } from '../io.ts';
import { parseName, resourcePath } from '../name.ts';
import { pairsOf } from '../pairs.ts';
import { createSupply } from './supply.ts';

export interface CreateNetworkOptions {
  readonly namespace: string;
  readonly driver: string;
  readonly subnet?: readonly string[];
  readonly gateway?: readonly string[];
  readonly ipRange?: readonly string[];
  readonly internal?: boolean;
  readonly ipv6: boolean;
  readonly opt?: readonly string[];
  readonly label?: readonly string[];
}

const DRIVERS: Readonly<Record<string, string>> = { bridge: 'Bridge', macvlan: 'Macvlan', ipvlan: 'Ipvlan' };
const MODES = ['Bridge', 'Private', 'Vepa', 'Passthru', 'L2', 'L3', 'L3S'];

/** `mooring network create NAME`, with the flags that `docker network create` has. */
export function createNetwork(client: Client, io: Io, word: string, options: CreateNetworkOptions): Promise<number> {
  const { namespace, driver, internal = false, ipv6 } = options;
  const { parent, mode, mtu, ...unknown } = optionsOf(options.opt);
  const [key] = Object.keys(unknown);
  if (key !== undefined) throw new MooringError('Invalid', `no driver has an option "${key}"`, { fix: 'the options are parent, mode and mtu' });
  const spec = {
    driver: DRIVERS[driver.toLowerCase()] ?? driver,
    ...(parent !== undefined && { parent }),
    ...(mode !== undefined && { mode: MODES.find((known) => known.toLowerCase() === mode.toLowerCase()) ?? mode }),
    internal,
    ipv6,
    subnets: subnetsOf(options),
    ...(mtu !== undefined && { mtu: Number(mtu) }),
  };
  return createSupply(client, io, 'Network', parseName(word, namespace), { labels: pairsOf('label', options.label), spec }, namespace);
}

/** `mooring network connect NETWORK CONTAINER`. */
export async function connectNetwork(client: Client, word: string, container: string, options: { readonly namespace: string; readonly alias?: readonly string[]; readonly ip?: string; readonly ip6?: string; readonly macAddress?: string }): Promise<number> {
  const { namespace, alias = [], ip, ip6, macAddress } = options;
  const body: ConnectRequest = {
    container: parseName(container, namespace).name,
    aliases: alias,
    ...(ip !== undefined && { ipv4Address: ip }),
    ...(ip6 !== undefined && { ipv6Address: ip6 }),
    ...(macAddress !== undefined && { macAddress }),
  };
  await client.send<ApplyResult>(`${resourcePath('Network', parseName(word, namespace))}/connect`, body);
  return EXIT.ok;
}

/** `mooring network disconnect NETWORK CONTAINER`. */
export async function disconnectNetwork(client: Client, word: string, container: string, { namespace }: { readonly namespace: string }): Promise<number> {
  await client.send<ApplyResult>(`${resourcePath('Network', parseName(word, namespace))}/disconnect`, { container: parseName(container, namespace).name } satisfies DisconnectRequest);
  return EXIT.ok;
}

/** Docker's names of the options, too. */
function optionsOf(given: readonly string[] | undefined): Record<string, string> {
  const known: Readonly<Record<string, string>> = { macvlan_mode: 'mode', ipvlan_mode: 'mode', 'com.docker.network.driver.mtu': 'mtu' };
  return Object.fromEntries(Object.entries(pairsOf('opt', given)).map(([key, value]) => [known[key] ?? key, value]));
}

/** Each gateway and range belongs to the subnet that it lies in. */
function subnetsOf({ subnet = [], gateway = [], ipRange = [] }: CreateNetworkOptions): unknown[] {
  const subnets = subnet.map((cidr) => ({ cidr: checkSubnet(cidr), parsed: parseSubnet(cidr) }));
  const within = (flag: string, text: string, address: Buffer): number => {
    const index = subnets.findIndex(({ parsed }) => contains(parsed, address));
    if (index < 0) throw new MooringError('Invalid', `--${flag} ${text} lies in no --subnet`, { fix: 'give the subnet, too' });
    return index;
  };
  const gateways = new Map(gateway.map((text) => [within('gateway', text, parseAddress(checkAddress(text))), text]));
  const ranges = new Map(ipRange.map((text) => [within('ip-range', text, parseSubnet(checkSubnet(text)).base), text]));
  return subnets.map(({ cidr }, index) => ({ cidr, ...(gateways.has(index) && { gateway: gateways.get(index) }), ...(ranges.has(index) && { ipRange: ranges.get(index) }) }));
}
