import { z } from 'zod';
import { addressText, checkAddress, checkSubnet, CIDR_MAX_LENGTH, CIDR_PATTERN, contains, IP_MAX_LENGTH, IP_PATTERN, parseAddress, parseSubnet, type Subnet } from './address.ts';
import { checkedBy, type Finding, foundBy } from './check.ts';
import { API_VERSION } from './container.ts';
import { DEFAULT_NETWORK_NAME } from './container-network.ts';
import { grammarString } from './grammar.ts';
import { immutable } from './immutable.ts';
import { objectMetaSchema } from './metadata.ts';

/** What a link's name may be: IFNAMSIZ less its NUL, no slash, no space, and no colon, which old tools take for an alias. */
const LINK_NAME = { pattern: /^[!-.0-9;-~]+$/, maxLength: 15, what: "a link's name: at most 15 characters without spaces, `/` and `:`" };
/** RFC 791 and RFC 8200: what every link must carry. */
const LEAST_MTU = { 4: 576, 6: 1280 };

const cidr = (description: string) => z.string().max(CIDR_MAX_LENGTH).check(checkedBy(checkSubnet)).meta({ pattern: CIDR_PATTERN.source, description });

const subnetSchema = z.strictObject({
  cidr: cidr('The subnet: `10.89.0.0/24` or `fd00:89::/64`. An IPv4 prefix has 8 to 29 bits, an IPv6 prefix 32 to 125.'),
  gateway: z
    .string()
    .max(IP_MAX_LENGTH)
    .check(checkedBy(checkAddress))
    .meta({ pattern: IP_PATTERN.source, description: "The node's address in it, or with a driver other than `Bridge` that of the router. Without it, the first." })
    .optional(),
  ipRange: cidr('The part of the subnet that containers get their addresses from. Without it, all of it; addresses that a container asks for may lie anywhere in the subnet.').optional(),
});

const networkSpecFields = z.strictObject({
  driver: z
    .enum(['Bridge', 'Macvlan', 'Ipvlan'])
    .meta({
      description:
        "`Bridge`: a bridge of its own on the node, with the node's address for the way out. `Macvlan`, `Ipvlan`: containers are hosts of the network that link `parent` of the node is on; `Macvlan` gives each a MAC address, `Ipvlan` lets them share the parent's.",
    })
    .default('Bridge'),
  parent: grammarString(LINK_NAME).meta({ description: 'The link of the node that a `Macvlan` or `Ipvlan` network lies on, such as `eth0` or `eth0.10`.' }).optional(),
  mode: z
    .enum(['Bridge', 'Private', 'Vepa', 'Passthru', 'L2', 'L3', 'L3S'])
    .meta({ description: 'How a `Macvlan` (`Bridge`, `Private`, `Vepa`, `Passthru`) or an `Ipvlan` (`L2`, `L3`, `L3S`) passes packets between its containers. Without it, `Bridge` and `L2`.' })
    .optional(),
  internal: z.boolean().meta({ description: 'No way out: its containers reach each other and nothing else.' }).default(false),
  ipv6: z.boolean().meta({ description: 'Give its containers IPv6 addresses, too, where the node has IPv6.' }).default(true),
  subnets: z
    .array(subnetSchema)
    .max(2)
    .meta({ description: "At most one IPv4 subnet and one IPv6 subnet. What is not given is chosen free of the node's routes, and kept.", 'x-kubernetes-list-type': 'atomic' })
    .default([]),
  mtu: z.int().min(LEAST_MTU[4]).max(65_535).meta({ description: "The largest packet, in bytes; at least 1280 with IPv6. Without it, that of the node's way out, or of `parent`." }).optional(),
});

export type NetworkSpec = z.output<typeof networkSpecFields>;

/** Fields that a network keeps for as long as it is there: containers have addresses and routes that go by them. */
export const NETWORK_IMMUTABLE = ['driver', 'parent', 'mode', 'internal', 'ipv6', 'subnets'] as const satisfies readonly (keyof NetworkSpec)[];

export const networkSpecSchema = networkSpecFields.check(foundBy(findings)).meta({
  'x-kubernetes-validations': [
    { rule: "(has(self.driver) && self.driver != 'Bridge') == has(self.parent)", message: 'Macvlan and Ipvlan want a parent, and Bridge has none' },
    ...immutable(NETWORK_IMMUTABLE),
  ],
});

export const networkResourceSchema = z.strictObject({
  apiVersion: z.literal(API_VERSION).meta({ description: 'Always `mooring.dev/v1alpha1`.' }),
  kind: z.literal('Network').meta({ description: 'Always `Network`.' }),
  metadata: objectMetaSchema
    .check(
      foundBy(({ name }) => (name === DEFAULT_NETWORK_NAME ? [{ path: ['name'], message: `"${name}" is the node's own network, which is there without a resource`, fix: 'choose another name' }] : [])),
    )
    .meta({ description: 'Identity, labels and annotations.' }),
  spec: networkSpecSchema.meta({ description: 'What the network is like.' }).prefault({}),
});

/** A validated and defaulted `Network` document, without status. */
export type Network = z.output<typeof networkResourceSchema>;

const MODES: Readonly<Record<NetworkSpec['driver'], readonly string[]>> = { Bridge: [], Macvlan: ['Bridge', 'Private', 'Vepa', 'Passthru'], Ipvlan: ['L2', 'L3', 'L3S'] };

function findings({ driver, parent, mode, ipv6, subnets, mtu }: NetworkSpec): Finding[] {
  const bridge = driver === 'Bridge';
  const seen = new Set<number>();
  return [
    ...(bridge && parent !== undefined ? [{ path: ['parent'], message: 'a Bridge network has no parent', fix: 'set driver to Macvlan or Ipvlan, or leave it out' }] : []),
    ...(!bridge && parent === undefined ? [{ path: ['parent'], message: `is required with driver ${driver}`, fix: 'name the link of the node that it lies on, such as eth0' }] : []),
    ...(mode !== undefined && !MODES[driver].includes(mode)
      ? [{ path: ['mode'], message: `${mode} is no mode of driver ${driver}`, fix: bridge ? 'leave it out' : `use one of ${MODES[driver].join(', ')}` }]
      : []),
    ...(mtu !== undefined && ipv6 && mtu < LEAST_MTU[6] ? [{ path: ['mtu'], message: `is ${mtu}, and IPv6 wants at least ${LEAST_MTU[6]}`, fix: 'raise it, or set ipv6 to false' }] : []),
    ...subnets.flatMap((subnet, index) => {
      const { base } = parseSubnet(subnet.cidr);
      const version = base.length === 4 ? 4 : 6;
      if (seen.has(version)) return [{ path: ['subnets', index, 'cidr'], message: `is a second IPv${version} subnet`, fix: 'a network has one of each at most; make another network' }];
      seen.add(version);
      if (version === 6 && !ipv6) return [{ path: ['subnets', index, 'cidr'], message: 'is an IPv6 subnet, and ipv6 is false', fix: 'leave one of the two out' }];
      return subnetFindings(subnet, index);
    }),
  ];
}

function subnetFindings({ cidr: text, gateway, ipRange }: NetworkSpec['subnets'][number], index: number): Finding[] {
  const at = (field: string, message: string, fix: string): Finding[] => [{ path: ['subnets', index, field], message, fix }];
  const subnet = parseSubnet(text);
  const v4 = subnet.base.length === 4;
  const [least, most] = v4 ? [8, 29] : [32, 125];
  if (subnet.prefix < least || subnet.prefix > most) return at('cidr', `has a prefix of ${subnet.prefix} bits`, `give one of ${least} to ${most}`);
  const first = subnet.base[0] ?? 0;
  if (v4 ? first === 0 || first === 127 || first >= 224 : first === 0xff || (first === 0xfe && ((subnet.base[1] ?? 0) & 0xc0) === 0x80) || first === 0) {
    return at('cidr', 'is no range that hosts can have addresses of', v4 ? 'give one of 10.0.0.0/8, 172.16.0.0/12 or 192.168.0.0/16' : 'give one of fd00::/8');
  }
  return [
    ...(gateway === undefined ? [] : gatewayFindings(subnet, text, gateway, at)),
    ...(ipRange !== undefined && !isWithin(parseSubnet(ipRange), subnet) ? at('ipRange', `is not a part of ${text}`, 'give a range within the subnet') : []),
  ];
}

function gatewayFindings(subnet: Subnet, text: string, gateway: string, at: (field: string, message: string, fix: string) => Finding[]): Finding[] {
  const address = parseAddress(gateway);
  if (!contains(subnet, address)) return at('gateway', `${addressText(address)} is not in ${text}`, 'give an address of the subnet');
  if (address.equals(subnet.base) || (address.length === 4 && address.equals(broadcastOf(subnet)))) return at('gateway', `${addressText(address)} is no address of a host in ${text}`, 'give another one, such as the first');
  return [];
}

function broadcastOf({ base, prefix }: Subnet): Buffer {
  return Buffer.from(base.map((byte, index) => byte | (0xff >> Math.max(0, Math.min(8, prefix - index * 8)))));
}

function isWithin(inner: Subnet, outer: Subnet): boolean {
  return inner.prefix >= outer.prefix && contains(outer, inner.base);
}
