import type { ContainerSpecInput } from '../../translate/draft.ts';
import type { Field } from '../../translate/field.ts';
import { FieldError } from '../../translate/problem-list.ts';
import { entriesOf, fieldsAmong, integerOf, itemsOf, oneOrMore, textOf } from '../../translate/read-field.ts';
import { asMapping } from '../merge.ts';
import { resourceNameOf } from '../names.ts';
import type { NetworkReference, Project } from '../project.ts';
import { type Handlers, put, type Service, unheard } from './handler.ts';
import { containersOf } from './replicas.ts';

type Attachment = NonNullable<NonNullable<ContainerSpecInput['network']>['networks']>[number];

/** How a service is connected; its networks are `connect`'s. */
export const CONNECTION: Handlers = {
  networks: unheard,
  network_mode: unheard,
  mac_address: unheard,
  dns: (field, service) => put(service, { network: { dns: { servers: oneOrMore(field).map(textOf) } } }, field),
  dns_search: (field, service) => put(service, { network: { dns: { searches: oneOrMore(field).map(textOf) } } }, field),
  dns_opt: (field, service) => put(service, { network: { dns: { options: itemsOf(field).map(textOf) } } }, field),
  extra_hosts: (field, service) => {
    for (const [name, addresses] of entriesOf(asMapping(field, 'extra_hosts'))) {
      for (const address of oneOrMore(addresses)) put(service, { network: { extraHosts: [{ ip: addressOf(address), hostnames: [name] }] } }, address);
    }
  },
  links: (field, service) => {
    for (const item of itemsOf(field)) {
      const [name = '', alias = name] = textOf(item).split(':');
      for (const container of containersOf(name, item, service.project)) put(service, { network: { links: [{ container, alias }] } }, item);
    }
  },
  external_links: (field, service) => {
    for (const item of itemsOf(field)) {
      const [name = '', alias = name] = textOf(item).split(':');
      put(service, { network: { links: [{ container: resourceNameOf(name), alias }] } }, item);
    }
  },
};

function addressOf(field: Field): string {
  const address = textOf(field).replace(/^\[(.*)\]$/, '$1');
  if (address === 'host-gateway') throw new FieldError(field, "host-gateway stands for an address that only shows once the network is there", "write an address of the node's");
  return address;
}

/** Connects a service to its networks, or to what `network_mode` says. Without both it is on the project's network `default`. */
export function connect(service: Service): void {
  const mode = service.field.get('network_mode');
  const networks = service.field.get('networks');
  const mac = service.field.get('mac_address');
  if (mode !== undefined && networks !== undefined) throw new FieldError(mode, 'stands beside networks', 'keep one of the two');
  if (mode !== undefined) {
    if (mac !== undefined) throw new FieldError(mac, 'there is no interface of its own for it', 'set it in networks, or leave it out');
    return put(service, { network: modeOf(mode, service) }, mode);
  }
  put(service, { network: { mode: 'Bridge' } }, networks ?? service.field);
  const attachments = attachmentsOf(service, networks);
  for (const [index, { attachment, field }] of attachments.entries()) {
    const own = index === 0 && mac !== undefined && attachment.macAddress === undefined ? { macAddress: textOf(mac) } : {};
    put(service, { network: { networks: [{ ...attachment, ...own }] } }, field);
  }
}

function modeOf(field: Field, { project }: Service): NonNullable<ContainerSpecInput['network']> {
  const mode = textOf(field);
  if (mode === 'host') return { mode: 'Host' };
  if (mode === 'none') return { mode: 'None' };
  if (mode === 'bridge') return { mode: 'Bridge' };
  const [kind, name = ''] = mode.split(':');
  if (kind === 'container') return { mode: 'Container', container: resourceNameOf(name) };
  if (kind !== 'service') throw new FieldError(field, `there is no mode ${JSON.stringify(mode)}`, 'use host, none, bridge, service:NAME or container:NAME');
  const [container, ...more] = containersOf(name, field, project);
  if (container === undefined || more.length > 0) throw new FieldError(field, `service ${name} has ${more.length + 1} containers, and only one can lend its network`);
  return { mode: 'Container', container };
}

interface Connection {
  readonly attachment: Attachment;
  readonly field: Field;
  readonly order: readonly [number, number, string];
}

/** The first is the way outside, as the engine of Docker chooses it: by gw_priority, not internal, by name. */
function attachmentsOf({ name, field: service, project }: Service, networks: Field | undefined): Connection[] {
  const entries: (readonly [string, Field])[] = networks === undefined ? [['default', service]] : [...entriesOf(asMapping(networks, 'networks'))];
  const connections = entries.map(([key, field]): Connection => {
    const network = networkNamed(key, field, project);
    const given = networks === undefined || field.value === null ? {} : fieldsAmong(field, ['aliases', 'ipv4_address', 'ipv6_address', 'mac_address', 'priority', 'gw_priority', 'link_local_ips', 'driver_opts', 'interface_name']);
    for (const unsupported of [given.link_local_ips, given.driver_opts, given.interface_name]) {
      if (unsupported !== undefined) throw new FieldError(unsupported, 'is not supported', 'leave it out', true);
    }
    const attachment: Attachment = {
      name: network.name,
      aliases: [...new Set([name, ...(given.aliases === undefined ? [] : itemsOf(given.aliases).map(textOf))])],
      ...(given.ipv4_address !== undefined && { ipv4Address: textOf(given.ipv4_address) }),
      ...(given.ipv6_address !== undefined && { ipv6Address: textOf(given.ipv6_address) }),
      ...(given.mac_address !== undefined && { macAddress: textOf(given.mac_address) }),
    };
    return { attachment, field, order: [given.gw_priority === undefined ? 0 : -integerOf(given.gw_priority), Number(network.internal), network.name] };
  });
  return connections.toSorted(({ order: a }, { order: b }) => a[0] - b[0] || a[1] - b[1] || (a[2] < b[2] ? -1 : 1));
}

function networkNamed(key: string, field: Field, { networks }: Project): NetworkReference {
  const network = networks.get(key);
  if (network !== undefined) return network;
  throw new FieldError(field, `there is no network ${key} in this file`, 'declare it below networks', true);
}
