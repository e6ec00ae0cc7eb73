import { dockerNameOf } from './container-lookup.ts';
import type { DockerServices } from './docker-services.ts';
import { GO_ZERO_TIME } from './image-object.ts';
import { endpointId } from './inspect-network.ts';
import { type FoundNetwork, labelsOf, stateOf } from './network-lookup.ts';

/** `Network` of the API. A list has no containers. */
export async function networkObject(services: DockerServices, found: FoundNetwork, { withContainers }: { readonly withContainers: boolean }): Promise<Record<string, unknown>> {
  const { id, name, driver, network, request } = found;
  const state = await stateOf(services, found);
  const asked = request?.IPAM.Config ?? [];
  const config = (state?.subnets ?? []).map((Subnet, index) => {
    const range = asked.find((each) => each.Subnet === Subnet)?.IPRange ?? '';
    return { Subnet, ...(range !== '' && { IPRange: range }), Gateway: state?.gateways[index] ?? '' };
  });
  return {
    Name: name,
    Id: id,
    Created: state === undefined ? GO_ZERO_TIME : new Date(state.createdAt).toISOString(),
    Scope: 'local',
    Driver: driver,
    EnableIPv6: state?.subnets.some((subnet) => subnet.includes(':')) ?? false,
    IPAM: { Driver: 'default', Options: request === undefined ? null : request.IPAM.Options, Config: config },
    Internal: network?.spec.internal ?? false,
    Attachable: request?.Attachable ?? false,
    Ingress: false,
    ConfigFrom: { Network: '' },
    ConfigOnly: false,
    Containers: withContainers ? containersOn(services, found, state) : {},
    Options: optionsOf(found, state?.link),
    Labels: labelsOf(found),
  };
}

/** Those that run: the others have no endpoint there. */
function containersOn({ reconciler }: DockerServices, { key, id: networkId }: FoundNetwork, state: Awaited<ReturnType<typeof stateOf>>): Record<string, unknown> {
  const members =
    state?.containers ??
    (networkId === '' ? [] : reconciler.views().filter(({ container }) => container.spec.network.mode.toLowerCase() === key).map(({ name }) => ({ name, addresses: [] as string[], mac: '' })));
  const entries = members.flatMap(({ name, addresses, mac }) => {
    const view = reconciler.view(name);
    const id = view?.status.containerID;
    if (view === undefined || id === undefined || view.status.pid === undefined) return [];
    const [v4, v6] = [4, 6].map((family) => withPrefix(addresses.find((address) => address.includes(':') === (family === 6)), state?.subnets ?? []));
    return [[id, { Name: dockerNameOf(view.container), EndpointID: endpointId(id, key), MacAddress: mac, IPv4Address: v4, IPv6Address: v6 }] as const];
  });
  return Object.fromEntries(entries);
}

function withPrefix(address: string | undefined, subnets: readonly string[]): string {
  if (address === undefined) return '';
  const subnet = subnets.find((each) => each.includes(':') === address.includes(':'));
  return `${address}/${subnet?.split('/')[1] ?? ''}`;
}

function optionsOf({ key, request }: FoundNetwork, link: string | undefined): Record<string, string> {
  if (key !== 'default') return request?.Options ?? {};
  return {
    'com.docker.network.bridge.default_bridge': 'true',
    'com.docker.network.bridge.enable_icc': 'true',
    'com.docker.network.bridge.enable_ip_masquerade': 'true',
    'com.docker.network.bridge.host_binding_ipv4': '0.0.0.0',
    ...(link !== undefined && { 'com.docker.network.bridge.name': link }),
  };
}
