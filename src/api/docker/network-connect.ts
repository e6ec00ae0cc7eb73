import { z } from 'zod';
import { MooringError } from '../../lib/errors.ts';
import type { DesiredContainer } from '../../reconcile/desired.ts';
import { API_VERSION, type Container } from '../../spec/container.ts';
import { type Attachment, attachmentsOf, DEFAULT_NETWORK_NAME } from '../../spec/container-network.ts';
import { networkName } from '../../spec/name.ts';
import { type DockerCall, param, readJson, sendStatus } from './call.ts';
import { dockerNameOf, findContainer, type FoundContainer } from './container-lookup.ts';
import { checkedResource, declare, untilSo } from './declared.ts';
import type { DockerServices } from './docker-services.ts';
import { DockerError } from './error-reply.ts';
import { DETACHED_ANNOTATION, findNetwork, type FoundNetwork } from './network-lookup.ts';

const text = z.string().nullish().transform((value) => value ?? '');
const words = z.array(z.string()).nullish().transform((value) => value ?? []);
const endpointSchema = z
  .object({ IPAMConfig: z.object({ IPv4Address: text, IPv6Address: text, LinkLocalIPs: words }).nullish(), Links: words, Aliases: words, MacAddress: text })
  .nullish()
  .transform((value) => value ?? { IPAMConfig: null, Links: [], Aliases: [], MacAddress: '' });
const connectSchema = z.object({ Container: z.string(), EndpointConfig: endpointSchema });
const disconnectSchema = z.object({ Container: z.string(), Force: z.boolean().nullish() });

/** What a container that is on no network published, until it is on one again. */
const PORTS_ANNOTATION = 'docker.mooring.dev/ports';

type Spec = Container['spec'];

export async function connect(call: DockerCall, services: DockerServices): Promise<void> {
  const { Container: reference, EndpointConfig: asked } = await readJson(call, connectSchema);
  const network = findNetwork(services, param(call, 'id'));
  const found = findContainer(services, reference);
  const { container } = wanted(services, found);
  const name = dockerNameOf(container);
  refusePrivate(container, network);
  const key = keyIn(container, network);
  const own = attachmentsOf(container.spec.network).filter((each) => each.name !== detachedName(found));
  if (own.some((each) => each.name === key)) throw new DockerError(403, `endpoint with name ${name} already exists in network ${network.name}`);
  if (asked.IPAMConfig?.LinkLocalIPs.length) throw new DockerError(501, 'link-local addresses of a container are not supported by Mooring');
  const [v4, v6] = [asked.IPAMConfig?.IPv4Address ?? '', asked.IPAMConfig?.IPv6Address ?? ''];
  if (network.builtin && (v4 !== '' || v6 !== '')) throw new DockerError(400, 'user specified IP address is supported on user defined networks only');
  const aliases = [...new Set([...(name === container.metadata.name || network.builtin ? [] : [name]), ...asked.Aliases])];
  const links = asked.Links.map((link) => linkOf(services, link));
  const attachment = { name: key, aliases, ...(v4 !== '' && { ipv4Address: v4 }), ...(v6 !== '' && { ipv6Address: v6 }), ...(asked.MacAddress !== '' && { macAddress: asked.MacAddress }) };
  const kept = container.metadata.annotations[PORTS_ANNOTATION];
  await change(services, found, { networks: [...own, attachment], links, ...(kept !== undefined && { ports: JSON.parse(kept) as Spec['ports'] }) });
  await untilSo(services, `connecting container ${name} to network ${network.name}`, () => isOn(services, found, network), call.signal);
  if (kept !== undefined) await dropDetached(services, found);
  services.told.network('connect', network.id, { container: found.id, name: network.name, type: network.driver });
  sendStatus(call, 200);
}

export async function disconnect(call: DockerCall, services: DockerServices): Promise<void> {
  const { Container: reference } = await readJson(call, disconnectSchema);
  const network = findNetwork(services, param(call, 'id'));
  const found = findContainer(services, reference);
  const { container } = wanted(services, found);
  const name = dockerNameOf(container);
  refusePrivate(container, network);
  const key = keyIn(container, network);
  const all = attachmentsOf(container.spec.network);
  const rest = all.filter((each) => each.name !== key);
  if (rest.length === all.length) throw new DockerError(403, `container ${found.id} is not connected to network ${network.name}`);
  if (rest.length > 0) await change(services, found, { networks: rest });
  else {
    await declareDetached(services, found);
    await change(services, found, { networks: [{ name: detachedName(found), aliases: [] }], ports: [], kept: container.spec.ports });
  }
  await untilSo(services, `disconnecting container ${name} from network ${network.name}`, () => !isOn(services, found, network), call.signal);
  services.told.network('disconnect', network.id, { container: found.id, name: network.name, type: network.driver });
  sendStatus(call, 200);
}

/** The wish for a container that the API may change. */
function wanted({ desired }: DockerServices, { view }: FoundContainer): DesiredContainer {
  const wish = desired.get(view.name);
  if (wish === undefined) throw new DockerError(409, `container ${view.name} is being removed`);
  const { source, location } = wish.origin;
  if (source === 'api') return wish;
  throw new MooringError('Conflict', `container ${view.name} belongs to source ${source}, which would change it back`, { at: location, fix: `change spec.network.networks in ${location} instead` });
}

function refusePrivate({ spec }: Container, { name }: FoundNetwork): void {
  const { mode } = spec.network;
  if (mode === 'Host' || name === 'host') throw new DockerError(403, mode === 'Host' ? 'container sharing network namespace with another container or host cannot be connected to any other network' : 'container cannot be connected to host network, which only a container has from its creation on');
  if (mode === 'Container') throw new DockerError(403, 'container sharing network namespace with another container or host cannot be connected to any other network');
  if (mode === 'None' || name === 'none') throw new DockerError(403, 'container cannot be connected to multiple networks with one of the networks in private (none) mode');
}

/** The network's name in the container's namespace. */
function keyIn({ metadata }: Container, { key, name }: FoundNetwork): string {
  if (key === DEFAULT_NETWORK_NAME) return key;
  const [namespace, own = ''] = key.split('/');
  if (namespace !== metadata.namespace) throw new DockerError(403, `network ${name} is of namespace ${namespace}, and container ${dockerNameOf({ metadata })} of ${metadata.namespace}`);
  return own;
}

/** `NAME:ALIAS`. */
function linkOf(services: DockerServices, link: string): Spec['network']['links'][number] {
  const [reference = '', alias] = link.split(':');
  const { view } = findContainer(services, reference);
  return { container: view.container.metadata.name, ...(alias !== undefined && { alias }) };
}

interface Change {
  readonly networks: readonly Attachment[];
  /** Added to those that there are. */
  readonly links?: Spec['network']['links'];
  readonly ports?: Spec['ports'];
  /** What it published until now. */
  readonly kept?: Spec['ports'];
}

/** Has the container as before, but for its networks: applied again, changed in place. */
async function change(services: DockerServices, found: FoundContainer, { networks, links = [], ports, kept }: Change): Promise<void> {
  const { container, origin } = wanted(services, found);
  const { [PORTS_ANNOTATION]: before, ...annotations } = container.metadata.annotations;
  const stash = kept === undefined ? (ports === undefined ? before : undefined) : JSON.stringify(kept);
  const { spec } = container;
  const resource = checkedResource({
    ...container,
    metadata: { ...container.metadata, annotations: { ...annotations, ...(stash !== undefined && { [PORTS_ANNOTATION]: stash }) } },
    spec: { ...spec, ...(ports && { ports }), network: { ...spec.network, networks, links: [...spec.network.links, ...links] } },
  });
  services.desired.apply('api', [{ resource, location: origin.location }]);
}

/** The container's own network without anybody else and without a way out. */
function detachedName({ id }: Pick<FoundContainer, 'id'>): string {
  return `detached-${id.slice(0, 12)}`;
}

async function declareDetached(services: DockerServices, found: FoundContainer): Promise<void> {
  const metadata = { name: detachedName(found), namespace: found.view.container.metadata.namespace, annotations: { [DETACHED_ANNOTATION]: found.id } };
  const network = checkedResource({ apiVersion: API_VERSION, kind: 'Network', metadata, spec: { internal: true, ipv6: false } });
  await declare(services, network, { kind: 'Network', name: networkName(network.metadata) });
}

/** Takes it back; once its container is gone, too. */
export async function dropDetached({ desired, supplies }: DockerServices, found: FoundContainer): Promise<void> {
  const key = { kind: 'Network' as const, name: networkName({ namespace: found.view.container.metadata.namespace, name: detachedName(found) }) };
  if (desired.getOf('Network', key.name) === undefined) return;
  desired.delete('api', [key]);
  await supplies.settle(key);
}

function isOn({ insight }: DockerServices, { id }: FoundContainer, { key }: FoundNetwork): boolean {
  return insight.record(id).networks.some(({ network }) => network === key);
}
