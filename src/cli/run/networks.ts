import { isIP, isIPv4, isIPv6 } from 'node:net';
import { MooringError } from '../../lib/errors.ts';
import { badFlag } from './bad-flag.ts';
import { keyValues } from './csv.ts';
import type { RunFlags } from './run-flags.ts';

/** As Docker's EndpointSettings, what a client may say of them. */
export interface EndpointRequest {
  readonly Aliases?: string[];
  readonly Links?: string[];
  readonly MacAddress?: string;
  readonly DriverOpts?: Record<string, string>;
  readonly IPAMConfig?: { readonly IPv4Address?: string; readonly IPv6Address?: string; readonly LinkLocalIPs?: string[] };
}

export interface Networks {
  /** The first network: what HostConfig.NetworkMode says. */
  readonly mode: string;
  readonly endpoints: Readonly<Record<string, EndpointRequest>>;
}

interface Attachment {
  readonly target: string;
  readonly aliases: string[];
  readonly ip: string | undefined;
  readonly ip6: string | undefined;
  readonly mac: string | undefined;
  readonly linkLocal: string[];
  readonly options: Record<string, string>;
}

const NO_NETWORKS = ['host', 'none'];

/** --network (of which there may be several, in the short or the long form), --network-alias, --ip, --ip6, --link-local-ip, --mac-address. The latter are of the first network. */
export function networksOf(flags: RunFlags): Networks {
  const [first = attachmentOf('default'), ...others] = flags.network.map(attachmentOf);
  if (others.length > 0 && [first, ...others].some(hasNoEndpoint)) {
    throw new MooringError('Invalid', 'a container with the network of the host, of another container or with none has no other');
  }
  const twice = [first, ...others].find(({ target }, index, all) => all.findIndex((other) => other.target === target) !== index);
  if (twice !== undefined) throw new MooringError('Invalid', `--network "${twice.target}" is given twice`);
  const attachments = [withOldFlags(first, flags), ...others].filter((each) => !hasNoEndpoint(each));
  return { mode: first.target, endpoints: Object.fromEntries(attachments.map((each, index) => [each.target, endpointOf(each, index === 0 && each.target !== 'default' ? flags.link : [])])) };
}

function hasNoEndpoint({ target }: Attachment): boolean {
  return NO_NETWORKS.includes(target) || target.startsWith('container:');
}

function withOldFlags(first: Attachment, { networkAlias, ip, ip6, macAddress, linkLocalIp }: RunFlags): Attachment {
  const one = (flag: string, given: string | undefined, long: string | undefined): string | undefined => {
    if (given !== undefined && long !== undefined) throw new MooringError('Invalid', `${flag} is said in --network, too`, { fix: 'say it once' });
    return given ?? long;
  };
  if (networkAlias.length > 0 && first.aliases.length > 0) throw new MooringError('Invalid', '--network-alias is said in --network, too', { fix: 'say it once' });
  return {
    ...first,
    aliases: [...first.aliases, ...networkAlias],
    ip: one('--ip', ip === undefined ? undefined : address('--ip', ip, isIPv4), first.ip),
    ip6: one('--ip6', ip6 === undefined ? undefined : address('--ip6', ip6, isIPv6), first.ip6),
    mac: one('--mac-address', macAddress === undefined ? undefined : macOf('--mac-address', macAddress), first.mac),
    linkLocal: [...first.linkLocal, ...linkLocalIp.map((text) => address('--link-local-ip', text))],
  };
}

function endpointOf({ aliases, ip, ip6, mac, linkLocal, options }: Attachment, links: readonly string[]): EndpointRequest {
  const addresses = { ...(ip !== undefined && { IPv4Address: ip }), ...(ip6 !== undefined && { IPv6Address: ip6 }), ...(linkLocal.length > 0 && { LinkLocalIPs: linkLocal }) };
  return {
    ...(aliases.length > 0 && { Aliases: aliases }),
    ...(links.length > 0 && { Links: [...links] }),
    ...(mac !== undefined && { MacAddress: mac }),
    ...(Object.keys(options).length > 0 && { DriverOpts: options }),
    ...(Object.keys(addresses).length > 0 && { IPAMConfig: addresses }),
  };
}

/** `back`, `name=back,alias=db,ip=10.89.0.7`. */
function attachmentOf(text: string): Attachment {
  const found: { -readonly [Key in keyof Attachment]: Attachment[Key] } = { target: text, aliases: [], ip: undefined, ip6: undefined, mac: undefined, linkLocal: [], options: {} };
  if (!text.includes('=')) {
    if (text === '') throw badFlag('--network', text, 'names no network');
    return found;
  }
  found.target = '';
  for (const [key, value = ''] of keyValues('--network', text)) {
    if (key === 'name') found.target = value;
    else if (key === 'alias') found.aliases.push(value);
    else if (key === 'ip') found.ip = address('--network ip', value, isIPv4);
    else if (key === 'ip6') found.ip6 = address('--network ip6', value, isIPv6);
    else if (key === 'mac-address') found.mac = macOf('--network mac-address', value);
    else if (key === 'link-local-ip') found.linkLocal.push(address('--network link-local-ip', value));
    else if (key === 'driver-opt') Object.assign(found.options, { [value.slice(0, value.indexOf('='))]: value.slice(value.indexOf('=') + 1) });
    else throw badFlag('--network', text, `there is no "${key}"`, 'write NAME, or name=NAME,alias=…,ip=…,ip6=…,mac-address=…,driver-opt=KEY=VALUE');
  }
  if (found.target === '') throw badFlag('--network', text, 'names no network', 'add name=NAME');
  return found;
}

function address(flag: string, text: string, isRight: (text: string) => boolean = (given) => isIP(given) > 0): string {
  if (!isRight(text)) throw badFlag(flag, text, isRight === isIPv4 ? 'is no IPv4 address' : isRight === isIPv6 ? 'is no IPv6 address' : 'is no address');
  return text;
}

function macOf(flag: string, text: string): string {
  if (!/^[0-9a-f]{2}([:-][0-9a-f]{2}){5}$/i.test(text)) throw badFlag(flag, text, 'is no MAC address', 'write it like 02:42:ac:11:00:02');
  return text;
}

/** --add-host `name:address`, `name=address`, with host-gateway for the node's own. */
export function hostOf(text: string): string {
  const [, name = '', given = ''] = /^([^:=]+)[:=](.+)$/.exec(text) ?? [];
  const ip = given.replace(/^\[(.*)\]$/, '$1');
  if (name === '' || (ip !== 'host-gateway' && isIP(ip) === 0)) throw badFlag('--add-host', text, 'is no name with an address', 'write NAME:ADDRESS or NAME:host-gateway');
  return `${name}:${ip}`;
}

/** --dns. */
export function nameServerOf(text: string): string {
  return address('--dns', text);
}
