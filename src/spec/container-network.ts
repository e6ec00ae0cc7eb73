import { z } from 'zod';
import { checkAddress, checkMac, IP_MAX_LENGTH, IP_PATTERN, MAC_LENGTH, MAC_PATTERN } from './address.ts';
import { checkedBy, type Finding, foundBy } from './check.ts';
import { grammarString } from './grammar.ts';
import { DNS_SUBDOMAIN, HOST_NAME } from './kubernetes-names.ts';
import { repeated } from './repeated.ts';
import { bitRateSchema } from './resources.ts';

/** Stands in `networks` for the node's own network, which is there without a `Network`. */
export const DEFAULT_NETWORK_NAME = 'default';

const ATOMIC = { 'x-kubernetes-list-type': 'atomic' };

const hostName = () => grammarString(HOST_NAME);
const address = (description?: string, is?: 4 | 6) =>
  z
    .string()
    .max(IP_MAX_LENGTH)
    .check(checkedBy((text) => checkAddress(text)))
    .check(
      foundBy((text) => {
        const found = text.includes(':') ? 6 : 4;
        return is === undefined || is === found ? [] : [{ path: [], message: `${text} is an IPv${found} address`, fix: `give an IPv${is} address here` }];
      }),
    )
    .meta({ pattern: IP_PATTERN.source, ...(description !== undefined && { description }) });

const attachmentSchema = z.strictObject({
  name: grammarString(DNS_SUBDOMAIN).meta({ description: "A `Network` of the container's namespace; `default` for the node's own network, which is always there. Each once." }),
  aliases: z.array(hostName()).max(64).meta({ description: 'Further names by which containers of that network find this one.', ...ATOMIC }).default([]),
  ipv4Address: address("Its IPv4 address there, one of the network's own. Without it, a free one.", 4).optional(),
  ipv6Address: address("Its IPv6 address there, one of the network's own. Without it, a free one.", 6).optional(),
  macAddress: z
    .string()
    .max(MAC_LENGTH)
    .check(checkedBy(checkMac))
    .meta({ pattern: MAC_PATTERN.source, description: 'The MAC address of its interface there. Without it, one that goes with its IPv4 address.' })
    .optional(),
});

const linkSchema = z.strictObject({
  container: grammarString(DNS_SUBDOMAIN).meta({ description: "A container of the same namespace and of one of this one's networks." }),
  alias: hostName().meta({ description: "The name by which this container finds it. Without it, that container's own name." }).optional(),
});

const dnsSchema = z
  .strictObject({
    servers: z.array(address()).max(8).meta({ description: "Name servers to ask in place of the node's.", ...ATOMIC }).default([]),
    searches: z.array(hostName()).max(32).meta({ description: "Domains in which short names are looked for, in place of the node's.", ...ATOMIC }).default([]),
    options: z
      .array(grammarString({ pattern: /^[!-~]+$/, maxLength: 64, what: 'an option of resolv.conf(5)' }))
      .max(32)
      .meta({ description: 'Options of resolv.conf(5), such as `ndots:2`.', ...ATOMIC })
      .default([]),
  })
  .meta({ description: 'How names are looked up that no network knows.' });

const extraHostSchema = z.strictObject({
  ip: address('The address.'),
  hostnames: z.array(hostName()).min(1).max(64).meta({ description: 'Its names.', ...ATOMIC }),
});

const bandwidthSchema = z
  .strictObject({
    ingress: bitRateSchema('What it may receive').optional(),
    egress: bitRateSchema('What it may send').optional(),
  })
  .meta({ description: 'Limits of its traffic, in bits per second, on each of its interfaces.' });

const networkFields = z.strictObject({
  mode: z
    .enum(['Bridge', 'Host', 'None', 'Container'])
    .meta({
      description:
        "`Bridge`: a network of its own with an address on each of its `networks`, from which it reaches the outside and is reached by other containers and, at its `hostPort`s, by everybody. `Host`: the node's own network, its ports and addresses. `None`: a network of its own with nothing but a loopback interface. `Container`: the network of another container, as that has it.",
    })
    .default('None'),
  container: grammarString(DNS_SUBDOMAIN).meta({ description: 'With `mode: Container`, the container of the same namespace whose network it shares.' }).optional(),
  networks: z
    .array(attachmentSchema)
    .max(32)
    .check(foundBy((networks) => repeated(networks, ({ name }) => name, 'name')))
    .meta({
      description: "With `mode: Bridge`, the networks that it is connected to, each by an interface of its own. By the first it reaches the outside. Without any, it is the node's own network.",
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['name'],
    })
    .default([]),
  links: z
    .array(linkSchema)
    .max(64)
    .check(foundBy((links) => repeated(links, ({ container, alias }) => alias ?? container, 'alias')))
    .meta({ description: 'Containers that it finds by names of its own.', ...ATOMIC })
    .default([]),
  dns: dnsSchema.prefault({}),
  extraHosts: z.array(extraHostSchema).max(256).meta({ description: 'Further lines of its `/etc/hosts`.', ...ATOMIC }).default([]),
  bandwidth: bandwidthSchema.prefault({}),
});

type ContainerNetwork = z.output<typeof networkFields>;

export const networkSchema = networkFields
  .check(foundBy(findings))
  .meta({
    description: 'How the container is connected.',
    'x-kubernetes-validations': [
      { rule: "has(self.container) == (has(self.mode) && self.mode == 'Container')", message: 'mode Container wants a container, and no other mode has one' },
      { rule: "!has(self.networks) || size(self.networks) == 0 || (has(self.mode) && self.mode == 'Bridge')", message: 'networks want mode Bridge' },
    ],
  });

function findings(network: ContainerNetwork): Finding[] {
  const { mode, container, networks, links, dns, extraHosts, bandwidth } = network;
  const bridged = (field: string, given: boolean, what: string): Finding[] =>
    given && mode !== 'Bridge' ? [{ path: [field], message: `${what} network mode ${mode}`, fix: 'set network.mode to Bridge' }] : [];
  const foreign = (field: string, given: boolean): Finding[] =>
    given && mode === 'Container' ? [{ path: [field], message: 'a container in network mode Container has the names of the other one', fix: `set it on container ${container ?? ''}`.trimEnd() }] : [];
  return [
    ...(mode === 'Container' && container === undefined ? [{ path: ['container'], message: 'is required with mode Container', fix: 'name the container whose network it shares' }] : []),
    ...(mode !== 'Container' && container !== undefined ? [{ path: ['container'], message: `says nothing in network mode ${mode}`, fix: 'set network.mode to Container, or leave it out' }] : []),
    ...bridged('networks', networks.length > 0, 'there are no networks to connect to in'),
    ...bridged('links', links.length > 0, 'there is nobody to link to in'),
    ...bridged('bandwidth', bandwidth.ingress !== undefined || bandwidth.egress !== undefined, 'there is no interface of its own to limit in'),
    ...foreign('dns', dns.servers.length + dns.searches.length + dns.options.length > 0),
    ...foreign('extraHosts', extraHosts.length > 0),
  ];
}

/** The networks that a container is connected to, in order; empty unless its mode is `Bridge`. */
export function attachmentsOf({ mode, networks }: Pick<ContainerNetwork, 'mode' | 'networks'>): readonly Attachment[] {
  if (mode !== 'Bridge') return [];
  return networks.length > 0 ? networks : [{ name: DEFAULT_NETWORK_NAME, aliases: [] }];
}

export type Attachment = z.output<typeof attachmentSchema>;
