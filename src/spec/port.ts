import { z } from 'zod';
import { quoted } from '../lib/text.ts';
import { checkAddress, IP_MAX_LENGTH, IP_PATTERN } from './address.ts';
import { checkedBy, type Finding, foundBy } from './check.ts';
import { grammarString } from './grammar.ts';
import { PORT_NAME } from './kubernetes-names.ts';
import { repeated } from './repeated.ts';

const MAX_PORT = 65_535;
/** Ports in one range; more of them would be a firewall's business. */
const MAX_RANGE = 1024;

const portSchema = z.strictObject({
  name: grammarString(PORT_NAME).meta({ description: 'A name for the entry, each once: at most 15 lower-case letters, digits and `-`.' }).optional(),
  containerPort: z.int().min(1).max(MAX_PORT).meta({ description: 'The port that the container listens on; of a range, the first.' }),
  endPort: z.int().min(1).max(MAX_PORT).meta({ description: `The last port of a range that begins with \`containerPort\`, of at most ${MAX_RANGE} ports. Without it, one port.` }).optional(),
  protocol: z.enum(['TCP', 'UDP', 'SCTP']).meta({ description: 'The transport protocol.' }).default('TCP'),
  hostPort: z
    .int()
    .min(1)
    .max(MAX_PORT)
    .meta({ description: "The node's port that leads to it; of a range, the first, and those behind it lead to those behind `containerPort`. Wants `network.mode: Bridge`." })
    .optional(),
  hostIP: z
    .string()
    .max(IP_MAX_LENGTH)
    .check(checkedBy(checkAddress))
    .meta({ pattern: IP_PATTERN.source, description: "The node's address on which `hostPort` is open, such as `127.0.0.1`. Without it, all of its IPv4 and IPv6 addresses." })
    .optional(),
  expose: z
    .enum(['HostPolicy', 'Always'])
    .meta({
      description:
        "Who reaches `hostPort` from other machines. `HostPolicy`: whom the node's own input rules let in to that port of the node, as if one of its own processes listened there. `Always`: everybody, past those rules.",
    })
    .default('HostPolicy'),
});

type Port = z.output<typeof portSchema>;

export const portsSchema = z
  .array(portSchema)
  .max(128)
  .check(
    foundBy((ports) => [
      ...repeated(ports, (port) => port.name, 'name'),
      ...ports.flatMap((port, index) => portFindings(port, index)),
      ...portsTwice(ports),
    ]),
  )
  .meta({
    description: 'Ports that the container listens on. One that several ports of the node lead to has an entry for each of those.',
    'x-kubernetes-list-type': 'atomic',
    'x-kubernetes-validations': [
      { rule: 'self.all(port, !has(port.name) || self.exists_one(other, has(other.name) && other.name == port.name))', message: 'a port name must not be given twice' },
      { rule: `self.all(port, !has(port.hostPort) || self.exists_one(other, has(other.hostPort) && other.hostPort == port.hostPort && other.protocol == port.protocol && (has(other.hostIP) ? other.hostIP : '') == (has(port.hostIP) ? port.hostIP : '')))`, message: 'a port of the node must not be given twice' },
      { rule: `self.all(port, !has(port.endPort) || (port.endPort > port.containerPort && port.endPort - port.containerPort < ${MAX_RANGE}))`, message: `endPort must come behind containerPort, with at most ${MAX_RANGE} ports from one to the other` },
    ],
  })
  .default([]);

/** How many ports an entry stands for. */
export function portCount({ containerPort, endPort = containerPort }: Pick<Port, 'containerPort' | 'endPort'>): number {
  return endPort - containerPort + 1;
}

function portFindings(port: Port, index: number): Finding[] {
  const { containerPort, endPort, hostPort, hostIP } = port;
  if (endPort !== undefined && endPort <= containerPort) return [{ path: [index, 'endPort'], message: `is ${endPort}, and the range begins with ${containerPort}`, fix: 'give the last port of the range, or leave endPort out for one port' }];
  const count = portCount(port);
  return [
    ...(count > MAX_RANGE ? [{ path: [index, 'endPort'], message: `makes a range of ${count} ports, at most ${MAX_RANGE} are allowed` }] : []),
    ...(hostPort !== undefined && hostPort + count - 1 > MAX_PORT ? [{ path: [index, 'hostPort'], message: `a range of ${count} ports from ${hostPort} on goes beyond port ${MAX_PORT}` }] : []),
    ...(hostIP !== undefined && hostPort === undefined ? [{ path: [index, 'hostIP'], message: 'hostIP says nothing without hostPort', fix: 'give a hostPort, too' }] : []),
  ];
}

/** Ports that stand in two entries: of the node on one address, or of the container where one of the entries publishes nothing, and so says nothing. */
function portsTwice(ports: readonly Port[]): Finding[] {
  return ports.flatMap((port, index) => {
    const twice = ports.slice(0, index).flatMap((earlier): Finding[] => {
      const field = port.hostPort === undefined || earlier.hostPort === undefined ? 'containerPort' : 'hostPort';
      if (port.protocol !== earlier.protocol || (field === 'hostPort' && !addressesOf(port).some((address) => addressesOf(earlier).includes(address)))) return [];
      const first = shared(port[field] ?? 0, portCount(port), earlier[field] ?? 0, portCount(earlier));
      if (first === undefined) return [];
      const isRange = port.endPort !== undefined || earlier.endPort !== undefined;
      return [{ path: [index, field], message: `${quoted(`${first}/${port.protocol}`)} is given twice`, fix: isRange ? 'let the ranges not overlap' : 'keep one of them' }];
    });
    return twice.slice(0, 1);
  });
}

/** Where an entry is open; what is open on one address goes before what is open on all. */
function addressesOf({ hostIP }: Port): readonly string[] {
  return hostIP === undefined || hostIP === '0.0.0.0' ? ['0.0.0.0', '::'] : [hostIP];
}

/** The first port that both ranges have. */
function shared(a: number, aCount: number, b: number, bCount: number): number | undefined {
  const first = Math.max(a, b);
  return first < Math.min(a + aCount, b + bCount) ? first : undefined;
}
