import { MooringError } from '../../../lib/errors.ts';
import { DEFAULT_NETWORK_NAME } from '../../../spec/container-network.ts';
import type { CreateBody, EndpointConfig } from './create-body.ts';
import type { CreateContext } from './create-context.ts';
import { bad } from './refusal.ts';
import type { SpecInput } from './spec-input.ts';

type NetworkInput = NonNullable<SpecInput['network']>;
type AttachmentInput = NonNullable<NetworkInput['networks']>[number];

/** How the container is connected. */
export function networkOf(body: CreateBody, context: CreateContext): NetworkInput {
  const { NetworkMode: mode } = body.HostConfig;
  const names = namesOf(body, context);
  if (body.NetworkDisabled || mode === 'none') return { mode: 'None', ...names };
  if (mode === 'host') {
    refuseWithHost(body);
    return { mode: 'Host', ...names };
  }
  if (mode.startsWith('container:')) {
    refuseWithContainer(body);
    return { mode: 'Container', container: containerNamed(mode.slice('container:'.length), context).name };
  }
  return { mode: 'Bridge', networks: attachmentsOf(body, context), ...linksOf(body, context), ...names };
}

/** Names that all mean the node's own network. */
const DEFAULT_NAMES = new Set(['', 'default', 'bridge']);

function attachmentsOf(body: CreateBody, context: CreateContext): AttachmentInput[] {
  const { NetworkMode: mode } = body.HostConfig;
  const endpoints = new Map<string, EndpointConfig | undefined>([[networkNamed(mode, context), undefined]]);
  for (const [key, endpoint] of Object.entries(body.NetworkingConfig?.EndpointsConfig ?? {})) endpoints.set(networkNamed(key, context), endpoint ?? undefined);
  const dockerAlias = context.names.docker === context.names.resource ? [] : [context.names.docker];
  return [...endpoints].map(([name, endpoint], index) => {
    const mac = endpoint?.MacAddress || (index === 0 ? body.MacAddress : '');
    const aliases = [...new Set([...dockerAlias, ...(endpoint?.Aliases ?? [])])];
    return { name, ...(aliases.length > 0 && { aliases }), ...addressesOf(name, endpoint), ...(mac !== '' && { macAddress: mac }) };
  });
}

function addressesOf(network: string, endpoint: EndpointConfig | undefined): Pick<AttachmentInput, 'ipv4Address' | 'ipv6Address'> {
  const v4 = endpoint?.IPAMConfig?.IPv4Address ?? '';
  const v6 = endpoint?.IPAMConfig?.IPv6Address ?? '';
  if ((v4 !== '' || v6 !== '') && network === DEFAULT_NETWORK_NAME) throw bad('user specified IP address is supported on user defined networks only');
  if (endpoint?.IPAMConfig?.LinkLocalIPs.length) throw bad('link-local addresses of a container are not supported by Mooring');
  return { ...(v4 !== '' && { ipv4Address: v4 }), ...(v6 !== '' && { ipv6Address: v6 }) };
}

function networkNamed(reference: string, context: CreateContext): string {
  if (DEFAULT_NAMES.has(reference)) return DEFAULT_NETWORK_NAME;
  if (reference === 'host' || reference === 'none' || reference.startsWith('container:')) throw bad('container cannot be connected to multiple networks with one of the networks in private (none) mode');
  const name = context.network(reference);
  if (name === undefined) throw new MooringError('NotFound', `network ${reference} not found`);
  return name;
}

function containerNamed(reference: string, context: CreateContext): NonNullable<ReturnType<CreateContext['container']>> {
  const found = context.container(reference);
  if (found === undefined) throw new MooringError('NotFound', `No such container: ${reference}`);
  return found;
}

/** `--link`: of HostConfig on the default network, of each endpoint on the others. */
function linksOf(body: CreateBody, context: CreateContext): Pick<NetworkInput, 'links'> {
  const given = [...body.HostConfig.Links, ...Object.values(body.NetworkingConfig?.EndpointsConfig ?? {}).flatMap((endpoint) => endpoint?.Links ?? [])];
  const links = [...new Set(given)].map((link) => {
    const [reference = '', alias = reference, ...more] = link.split(':');
    if (reference === '' || alias === '' || more.length > 0) throw bad(`bad format for links: ${link}`);
    const { name } = containerNamed(reference.replace(/^\//, ''), context);
    return { container: name, alias: alias.split('/').at(-1) ?? alias };
  });
  return links.length > 0 ? { links } : {};
}

function namesOf({ HostConfig: { Dns: servers, DnsSearch: searches, DnsOptions: options, ExtraHosts: hosts } }: CreateBody, context: CreateContext): Pick<NetworkInput, 'dns' | 'extraHosts'> {
  const dns = servers.length + searches.length + options.length > 0 ? { dns: { servers, searches, options } } : {};
  return { ...dns, ...(hosts.length > 0 && { extraHosts: hosts.map((host) => extraHost(host, context)) }) };
}

/** `name:address`, `name=address`; the address of IPv6 may stand in brackets. */
function extraHost(text: string, { hostGateway }: CreateContext): { ip: string; hostnames: string[] } {
  const divider = /[:=]/.exec(text)?.index ?? -1;
  const name = text.slice(0, Math.max(0, divider));
  const address = text.slice(divider + 1).replace(/^\[(.*)\]$/, '$1');
  if (name === '' || address === '') throw bad(`bad format for add-host: "${text}"`);
  if (address !== 'host-gateway') return { ip: address, hostnames: [name] };
  if (hostGateway === undefined) throw bad(`unable to derive the IP value for host-gateway`);
  return { ip: hostGateway, hostnames: [name] };
}

function refuseWithHost({ HostConfig: host }: CreateBody): void {
  if (host.Links.length > 0) throw conflicting("host type networking can't be used with links. This would result in undefined behavior");
}

/** moby's runconfig: what the other container decides. */
function refuseWithContainer({ HostConfig: host, ...config }: CreateBody): void {
  if (config.Hostname !== '') throw conflicting('hostname and the network mode');
  if (host.Links.length > 0) throw conflicting("container type network can't be used with links. This would result in undefined behavior");
  if (host.Dns.length > 0) throw conflicting('dns and the network mode');
  if (host.ExtraHosts.length > 0) throw conflicting('custom host-to-IP mapping and the network mode');
  if (config.MacAddress !== '') throw conflicting('mac-address and the network mode');
  if (host.PublishAllPorts || Object.keys(host.PortBindings).length > 0) throw conflicting('port publishing and the container type network mode');
  if (config.ExposedPorts.length > 0) throw conflicting('port exposing and the container type network mode');
}

function conflicting(what: string): MooringError {
  return bad(`conflicting options: ${what}`);
}
