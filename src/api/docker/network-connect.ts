import { z } from 'zod';
import { MooringError } from '../../lib/errors.ts';
import type { DesiredContainer } from '../../reconcile/desired.ts';
import type { Container } from '../../spec/container.ts';
import { type Attachment, attachmentsOf, DEFAULT_NETWORK_NAME } from '../../spec/container-network.ts';
import { networkName } from '../../spec/name.ts';
import { type DockerCall, param, readJson, sendStatus } from './call.ts';
import { dockerNameOf, findContainer, type FoundContainer } from './container-lookup.ts';
import { checkedResource, untilSo } from './declared.ts';
import { declareDetached, detachedName, dropDetached } from './detached-network.ts';
import type { DockerServices } from './docker-services.ts';
import { DockerError } from './error-reply.ts';
import { findNetwork, type FoundNetwork } from './network-lookup.ts';

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

/** A container and a network, one of which is to be on the other, or not. */
interface Pair {
  readonly network: FoundNetwork;
  readonly found: FoundContainer;
  readonly container: Container;
  /** The container's name. */
  readonly name: string;
  /** The network's name in the container's namespace. */
  readonly key: string;
  /** The networks that it is on, or will be once it runs: without those that were removed since. */
  readonly attachments: readonly Attachment[];
}

function pairOf(call: DockerCall, services: DockerServices, reference: string): Pair {
  const network = findNetwork(services, param(call, 'id'));
  const found = findContainer(services, reference);
  const { container } = wanted(services, found);
  refusePrivate(container, network);
  const { namespace } = container.metadata;
  const isThere = ({ name }: Attachment): boolean => name === DEFAULT_NETWORK_NAME || services.desired.getOf('Network', networkName({ namespace, name })) !== undefined;
  return { network, found, container, name: dockerNameOf(container), key: keyIn(container, network), attachments: attachmentsOf(container.spec.network).filter(isThere) };
}

export async function connect(call: DockerCall, services: DockerServices): Promise<void> {
  const { Container: reference, EndpointConfig: asked } = await readJson(call, connectSchema);
  const { network, found, container, name, key, attachments } = pairOf(call, services, reference);
  const own = attachments.filter((each) => each.name !== detachedName(found));
  if (own.some((each) => each.name === key)) throw new DockerError(403, `endpoint with name ${name} already exists in network ${network.name}`);
  if (asked.IPAMConfig?.LinkLocalIPs.length) throw new DockerError(501, 'link-local addresses of a container are not supported by Mooring');
  const [v4, v6] = [asked.IPAMConfig?.IPv4Address ?? '', asked.IPAMConfig?.IPv6Address ?? ''];
  if (network.builtin && (v4 !== '' || v6 !== '')) throw new DockerError(400, 'user specified IP address is supported on user defined networks only');
  const aliases = [...new Set([...(name === container.metadata.name || network.builtin ? [] : [name]), ...asked.Aliases])];
  const links = asked.Links.map((link) => linkOf(services, link));
  const attachment = { name: key, aliases, ...(v4 !== '' && { ipv4Address: v4 }), ...(v6 !== '' && { ipv6Address: v6 }), ...(asked.MacAddress !== '' && { macAddress: asked.MacAddress }) };
  const kept = container.metadata.annotations[PORTS_ANNOTATION];
  await change(call, services, found, {
    what: `connecting container ${name} to network ${network.name}`,
    isDone: () => isOn(services, found, network),
    networks: [...own, attachment],
    links,
    ...(kept !== undefined && { ports: JSON.parse(kept) as Spec['ports'] }),
  });
  if (kept !== undefined) await dropDetached(services, found);
  services.told.network('connect', network.id, { container: found.id, name: network.name, type: network.driver });
  sendStatus(call, 200);
}

export async function disconnect(call: DockerCall, services: DockerServices): Promise<void> {
  const { Container: reference } = await readJson(call, disconnectSchema);
  const { network, found, container, name, key, attachments } = pairOf(call, services, reference);
  const rest = attachments.filter((each) => each.name !== key);
  if (rest.length === attachments.length) throw new DockerError(403, `container ${found.id} is not connected to network ${network.name}`);
  const aim = { what: `disconnecting container ${name} from network ${network.name}`, isDone: () => !isOn(services, found, network) };
  if (rest.length > 0) await change(call, services, found, { ...aim, networks: rest });
  else {
    await declareDetached(services, found);
    await change(call, services, found, { ...aim, networks: [{ name: detachedName(found), aliases: [] }], ports: [], kept: container.spec.ports });
  }
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
  /** What it is for, for people. */
  readonly what: string;
  readonly isDone: () => boolean;
  readonly networks: readonly Attachment[];
  /** Added to those that there are. */
  readonly links?: Spec['network']['links'];
  readonly ports?: Spec['ports'];
  /** What it published until now. */
  readonly kept?: Spec['ports'];
}

/** Has the container as before, but for its networks: applied again, changed in place. What can't be done is not wanted any longer, either; throws 403 with why. */
async function change(call: DockerCall, services: DockerServices, found: FoundContainer, { what, isDone, networks, links = [], ports, kept }: Change): Promise<void> {
  const { desired } = services;
  const { container, origin } = wanted(services, found);
  const { [PORTS_ANNOTATION]: before, ...annotations } = container.metadata.annotations;
  const stash = kept === undefined ? (ports === undefined ? before : undefined) : JSON.stringify(kept);
  const { spec } = container;
  const resource = checkedResource({
    ...container,
    metadata: { ...container.metadata, annotations: { ...annotations, ...(stash !== undefined && { [PORTS_ANNOTATION]: stash }) } },
    spec: { ...spec, ...(ports && { ports }), network: { ...spec.network, networks, links: [...spec.network.links, ...links] } },
  });
  desired.apply('api', [{ resource, location: origin.location }]);
  await untilSo(services, what, () => isDone() || refusalOf(services, found) !== undefined, call.signal);
  const refusal = isDone() ? undefined : refusalOf(services, found);
  if (refusal === undefined) return;
  desired.apply('api', [{ resource: container, location: origin.location }]);
  throw new DockerError(403, refusal);
}

/** Why what is wanted of the container now can't be had. */
function refusalOf({ desired, reconciler }: DockerServices, { view }: FoundContainer): string | undefined {
  const present = reconciler.view(view.name);
  const failed = present?.status.conditions.find(({ type, reason }) => type === 'Progressing' && reason === 'UpdateFailed');
  return failed?.observedGeneration === desired.get(view.name)?.generation ? failed?.message : undefined;
}

function isOn({ insight }: DockerServices, { id }: FoundContainer, { key }: FoundNetwork): boolean {
  return insight.record(id).networks.some(({ network }) => network === key);
}
