import { createHash } from 'node:crypto';
import type { ContainerRecordView, NetworkPlace } from '../../engine/insight.ts';
import type { ApiServices } from '../v1/services.ts';
import type { CreateBody } from './create/create-body.ts';
import { isDetached } from './detached-network.ts';
import { dockerNetworkName } from './supply-names.ts';

export type PortBindings = Readonly<Record<string, readonly { readonly HostIp: string; readonly HostPort: string }[] | null>>;

/** `NetworkSettings` of an inspection. Addresses are told while it runs. */
export function networkBlock(services: Pick<ApiServices, 'desired' | 'info'>, record: ContainerRecordView, request: CreateBody, { running, exposed }: { readonly running: boolean; readonly exposed: readonly string[] }) {
  const networks = networksOf(services, record, request, running);
  const { bridge } = networks;
  const { Gateway = '', IPAddress = '', IPPrefixLen = 0, MacAddress = '', EndpointID = '', IPv6Gateway = '', GlobalIPv6Address = '', GlobalIPv6PrefixLen = 0 } = bridge ?? {};
  return {
    Bridge: '',
    SandboxID: running ? digest(`${record.id}/sandbox`) : '',
    HairpinMode: false,
    LinkLocalIPv6Address: '',
    LinkLocalIPv6PrefixLen: 0,
    Ports: running ? portsOf(record, exposed) : {},
    SandboxKey: '',
    SecondaryIPAddresses: null,
    SecondaryIPv6Addresses: null,
    EndpointID,
    Gateway,
    GlobalIPv6Address,
    GlobalIPv6PrefixLen,
    IPAddress,
    IPPrefixLen,
    IPv6Gateway,
    MacAddress,
    Networks: networks,
  };
}

/** By the names of the networks. */
export function networksOf(services: Pick<ApiServices, 'desired' | 'info'>, record: ContainerRecordView, request: CreateBody, running: boolean) {
  const { mode } = record.container.spec.network;
  const ownless: NetworkPlace[] = mode === 'Host' || mode === 'None' ? [{ network: mode.toLowerCase(), address4: '', prefix4: 0, gateway4: '', mac: '', aliases: [] }] : [];
  return Object.fromEntries(
    [...record.networks.filter(({ network }) => !isDetached(network)), ...ownless].map((place) => {
      const { name, id } = dockerNetworkName(services, place.network);
      return [name, endpointBlock(place, id, record, askedOf(request, name, id), running)];
    }),
  );
}

type Asked = NonNullable<NonNullable<CreateBody['NetworkingConfig']>['EndpointsConfig'][string]>;

function askedOf({ NetworkingConfig: config }: CreateBody, name: string, id: string): Asked | undefined {
  const { [name]: byName, [id]: byId, default: usual } = config?.EndpointsConfig ?? {};
  return byName ?? byId ?? (name === 'bridge' ? usual : undefined) ?? undefined;
}

function endpointBlock(place: NetworkPlace, networkId: string, { id }: ContainerRecordView, asked: Asked | undefined, running: boolean) {
  const ipam = asked?.IPAMConfig;
  const isUserNetwork = place.network.includes('/');
  const aliases = isUserNetwork ? [...new Set([...place.aliases, id.slice(0, 12)])] : null;
  return {
    IPAMConfig: ipam ? { ...(ipam.IPv4Address !== '' && { IPv4Address: ipam.IPv4Address }), ...(ipam.IPv6Address !== '' && { IPv6Address: ipam.IPv6Address }) } : null,
    Links: asked && asked.Links.length > 0 ? asked.Links : null,
    Aliases: aliases,
    NetworkID: networkId,
    EndpointID: running ? endpointId(id, place.network) : '',
    Gateway: running ? place.gateway4 : '',
    IPAddress: running ? place.address4 : '',
    IPPrefixLen: running ? place.prefix4 : 0,
    IPv6Gateway: running ? (place.gateway6 ?? '') : '',
    GlobalIPv6Address: running ? (place.address6 ?? '') : '',
    GlobalIPv6PrefixLen: running ? (place.prefix6 ?? 0) : 0,
    MacAddress: running ? place.mac : '',
    DriverOpts: asked && Object.keys(asked.DriverOpts).length > 0 ? asked.DriverOpts : null,
  };
}

/** Of a container on a network, by its name as the engine has it. */
export function endpointId(container: string, network: string): string {
  return digest(`${container}/${network}`);
}

/** Published ports with the node's, and those that are exposed alone. */
export function portsOf({ container }: ContainerRecordView, exposed: readonly string[]): PortBindings {
  const ports = new Map<string, { readonly HostIp: string; readonly HostPort: string }[] | null>(exposed.map((port) => [port, null]));
  for (const { port, protocol, hostPort, addresses } of publishedPorts(container)) {
    const key = `${port}/${protocol}`;
    ports.set(key, [...(ports.get(key) ?? []), ...addresses.map((HostIp) => ({ HostIp, HostPort: String(hostPort) }))]);
  }
  return Object.fromEntries(ports);
}

/** Each published port of a container by itself. */
export function publishedPorts({ spec }: ContainerRecordView['container']) {
  return spec.ports.flatMap(({ containerPort, endPort = containerPort, protocol, hostPort, hostIP }) =>
    hostPort === undefined
      ? []
      : Array.from({ length: endPort - containerPort + 1 }, (_, index) => ({
          port: containerPort + index,
          protocol: protocol.toLowerCase(),
          hostPort: hostPort + index,
          addresses: hostIP === undefined ? ['0.0.0.0', '::'] : [hostIP],
        })),
  );
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
