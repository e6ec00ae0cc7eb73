import { quoted } from '../../../lib/text.ts';
import type { ContainerSpecInput } from '../../translate/draft.ts';
import type { Field } from '../../translate/field.ts';
import { FieldError } from '../../translate/problem-list.ts';
import { fieldsAmong, integerOf, isMap, itemsOf, textOf, wordOf } from '../../translate/read-field.ts';
import { type Handlers, put, type Service } from './handler.ts';
import { replicasOf } from './replicas.ts';

type Port = NonNullable<ContainerSpecInput['ports']>[number];

interface Range {
  readonly first: number;
  readonly last: number;
}

const PROTOCOLS = { tcp: 'TCP', udp: 'UDP', sctp: 'SCTP' } as const;
const RANDOM = "a port of the node that is chosen anew at each start is nothing to rely on";

export const PORTS: Handlers = {
  ports: (field, service) => {
    for (const item of itemsOf(field)) {
      const port = isMap(item) ? longPort(item) : shortPort(item);
      if (port.hostPort !== undefined && replicasOf(service.field) > 1) throw new FieldError(item, `only one of ${replicasOf(service.field)} containers can have port ${port.hostPort} of the node`, 'publish it from a service of one container');
      put(service, { ports: [port] }, item);
    }
  },
  expose: (field, service) => {
    const published = new Set(portsOf(service));
    for (const item of itemsOf(field)) {
      const [range = '', protocol = 'tcp'] = textOf(item).split('/');
      const { first, last } = rangeOf(range, item);
      const port = { containerPort: first, ...(last > first && { endPort: last }), protocol: protocolOf(protocol, item) };
      if (!published.has(keyOf(port))) put(service, { ports: [port] }, item);
      published.add(keyOf(port));
    }
  },
};

function portsOf({ field }: Service): string[] {
  const ports = field.get('ports');
  return ports === undefined ? [] : itemsOf(ports).map((item) => keyOf(isMap(item) ? longPort(item) : shortPort(item)));
}

const keyOf = ({ containerPort, protocol = 'TCP' }: Port): string => `${containerPort}/${protocol}`;

/** `[[ip:]host:]container[/protocol]`, where host and container may be ranges of the same length. */
function shortPort(field: Field): Port {
  const text = textOf(field);
  const match = /^(?:(?:(?<ip>[0-9.]+|\[[0-9a-fA-F:.]+\]):)?(?<host>[0-9-]*):)?(?<container>[0-9-]+)(?:\/(?<protocol>[a-zA-Z]+))?$/.exec(text);
  if (match?.groups === undefined) throw new FieldError(field, `${quoted(text)} is no port`, 'write HOST:CONTAINER, 127.0.0.1:HOST:CONTAINER or HOST:CONTAINER/udp');
  const { ip, host = '', container = '', protocol = 'tcp' } = match.groups;
  const inside = rangeOf(container, field);
  if (host === '') throw new FieldError(field, RANDOM, `name it: "${ip === undefined ? '' : `${ip}:`}${container}:${container}"; expose what only other containers reach`);
  return publishedPort(inside, rangeOf(host, field), protocolOf(protocol, field), ip?.replace(/^\[(.*)\]$/, '$1'), field);
}

function longPort(field: Field): Port {
  const given = fieldsAmong(field, ['target', 'published', 'host_ip', 'protocol', 'mode', 'name', 'app_protocol']);
  if (given.target === undefined) throw new FieldError(field, 'has no target', 'give the port in the container');
  if (given.mode !== undefined) wordOf(given.mode, ['host', 'ingress']);
  const target = integerOf(given.target);
  const protocol = given.protocol === undefined ? 'TCP' : protocolOf(textOf(given.protocol), given.protocol);
  if (given.published === undefined) throw new FieldError(field, RANDOM, `add published: "${target}"`);
  const port = publishedPort({ first: target, last: target }, rangeOf(textOf(given.published), given.published), protocol, given.host_ip === undefined ? undefined : textOf(given.host_ip), given.published);
  // A name of compose's may be any text; one of ours is told by validation.
  return given.name === undefined ? port : { name: textOf(given.name), ...port };
}

function publishedPort(inside: Range, outside: Range, protocol: Port['protocol'], ip: string | undefined, field: Field): Port {
  if (outside.first === 0) throw new FieldError(field, RANDOM, 'name the port');
  if (outside.last - outside.first !== inside.last - inside.first) {
    if (inside.first === inside.last) throw new FieldError(field, 'a range of ports of the node to choose one from is not supported', 'name one port');
    throw new FieldError(field, 'the two ranges are not of the same length');
  }
  const anyAddress = ip === undefined || ip === '0.0.0.0';
  return { containerPort: inside.first, ...(inside.last > inside.first && { endPort: inside.last }), ...(protocol !== undefined && { protocol }), hostPort: outside.first, ...(!anyAddress && { hostIP: ip }) };
}

function rangeOf(text: string, field: Field): Range {
  const match = /^([0-9]{1,5})(?:-([0-9]{1,5}))?$/.exec(text);
  const first = Number(match?.[1]);
  const last = Number(match?.[2] ?? match?.[1]);
  if (match === null || last < first) throw new FieldError(field, `${quoted(text)} is no port and no range of ports`);
  return { first, last };
}

function protocolOf(text: string, field: Field): NonNullable<Port['protocol']> {
  const protocol = Object.entries(PROTOCOLS).find(([name]) => name === text.toLowerCase())?.[1];
  if (protocol === undefined) throw new FieldError(field, `there is no protocol ${quoted(text)}`, 'use tcp, udp or sctp');
  return protocol;
}
