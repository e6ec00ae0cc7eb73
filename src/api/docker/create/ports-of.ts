import { isIP } from 'node:net';
import type { ImageRuntimeConfig } from '../../../engine/images/oci-image.ts';
import type { CreateBody } from './create-body.ts';
import type { CreateContext } from './create-context.ts';
import { bad } from './refusal.ts';
import type { SpecInput } from './spec-input.ts';

type Protocol = 'TCP' | 'UDP' | 'SCTP';

interface Publication {
  readonly protocol: Protocol;
  readonly containerPort: number;
  readonly hostIP: string | undefined;
  readonly hostPort: number;
}

/** The ports that the container publishes, runs of neighbours as ranges. What it merely exposes has no effect but on `-P`. */
export function portsOf(body: CreateBody, image: ImageRuntimeConfig, context: Pick<CreateContext, 'freePort'>): NonNullable<SpecInput['ports']> {
  const { PortBindings: bindings, PublishAllPorts: all } = body.HostConfig;
  const wanted = Object.entries(bindings).flatMap(([key, given]) =>
    portsIn(key).flatMap((port) => (given.length > 0 ? given : [{ HostIp: '', HostPort: '' }]).map(({ HostIp: ip, HostPort: text }) => ({ ...port, hostIP: addressOf(ip), hostPorts: hostPortsIn(text) }))),
  );
  const bound = new Set(wanted.map(keyOf));
  const exposed = all ? [...new Set([...body.ExposedPorts, ...Object.keys(image.ExposedPorts ?? {})])].flatMap(portsIn) : [];
  const rest = exposed.filter((port) => !bound.has(keyOf(port))).map((port) => ({ ...port, hostIP: undefined, hostPorts: EPHEMERAL }));
  const publications = [...wanted, ...rest].map(({ hostPorts, ...port }) => ({ ...port, hostPort: choose(hostPorts, port, context) }));
  return inRanges(once(publications));
}

/** As Docker says it, `80/tcp`. */
function keyOf({ containerPort, protocol }: Pick<Publication, 'containerPort' | 'protocol'>): string {
  return `${containerPort}/${protocol.toLowerCase()}`;
}

/** `80`, `80/tcp` and `8000-8010/udp`. Throws `Invalid`. */
export function portsIn(key: string): { readonly containerPort: number; readonly protocol: Protocol }[] {
  const [range = '', protocol = 'tcp', ...more] = key.split('/');
  const upper = protocol.toUpperCase();
  if (more.length > 0 || (upper !== 'TCP' && upper !== 'UDP' && upper !== 'SCTP')) throw bad(`invalid port specification: "${key}"`);
  const { first, last } = rangeIn(range, key);
  if (first === 0) throw bad(`invalid port specification: "${key}"`);
  return Array.from({ length: last - first + 1 }, (_, index) => ({ containerPort: first + index, protocol: upper }));
}

interface PortRange {
  readonly first: number;
  readonly last: number;
}

/** What the kernel gives out by default (ip_local_port_range), as dockerd does. */
const EPHEMERAL: PortRange = { first: 32_768, last: 60_999 };

function hostPortsIn(text: string): PortRange {
  if (text === '' || text === '0') return EPHEMERAL;
  const range = rangeIn(text, text);
  if (range.first === 0) throw bad(`invalid port specification: "${text}"`);
  return range;
}

function rangeIn(text: string, whole: string): PortRange {
  const match = /^([0-9]{1,5})(?:-([0-9]{1,5}))?$/.exec(text);
  const first = Number(match?.[1]);
  const last = Number(match?.[2] ?? match?.[1]);
  if (match === null || last > 65_535 || first > last) throw bad(`invalid port specification: "${whole}"`);
  return { first, last };
}

function choose(range: PortRange, port: Omit<Publication, 'hostPort'>, { freePort }: Pick<CreateContext, 'freePort'>): number {
  if (range.first === range.last) return range.first;
  const chosen = freePort({ protocol: port.protocol, ip: port.hostIP, ...range });
  if (chosen === undefined) throw bad(`all ports are allocated: none of ${range.first}-${range.last}/${port.protocol.toLowerCase()} is free for port ${keyOf(port)} of the container`);
  return chosen;
}

/** Undefined for all addresses, however that is written. */
function addressOf(text: string): string | undefined {
  if (text === '' || text === '0.0.0.0' || text === '::') return undefined;
  if (isIP(text) === 0) throw bad(`invalid IP address: ${text}`);
  return text;
}

/** Each once: clients send the bindings to all IPv4 and to all IPv6 addresses apart, which here are one. */
function once(publications: readonly Publication[]): Publication[] {
  return [...new Map(publications.map((publication) => [`${keyOf(publication)} ${publication.hostIP ?? ''} ${publication.hostPort}`, publication])).values()];
}

function inRanges(publications: readonly Publication[]): NonNullable<SpecInput['ports']> {
  const shift = ({ hostPort, containerPort }: Publication): number => hostPort - containerPort;
  const sorted = publications.toSorted((a, b) => a.protocol.localeCompare(b.protocol) || (a.hostIP ?? '').localeCompare(b.hostIP ?? '') || shift(a) - shift(b) || a.containerPort - b.containerPort);
  const runs: Publication[][] = [];
  for (const publication of sorted) {
    const run = runs.at(-1);
    const last = run?.at(-1);
    if (run && last && follows(last, publication) && run.length < LONGEST_RANGE) run.push(publication);
    else runs.push([publication]);
  }
  const ranges = runs.flatMap((run) => {
    const [first] = run;
    if (first === undefined) return [];
    const { containerPort, protocol, hostIP, hostPort } = first;
    return [{ containerPort, ...(run.length > 1 && { endPort: containerPort + run.length - 1 }), protocol, hostPort, ...(hostIP !== undefined && { hostIP }) }];
  });
  return ranges.toSorted((a, b) => a.protocol.localeCompare(b.protocol) || a.containerPort - b.containerPort || a.hostPort - b.hostPort);
}

/** As many as the spec takes in one entry. */
const LONGEST_RANGE = 1024;

function follows(a: Publication, b: Publication): boolean {
  return a.protocol === b.protocol && a.hostIP === b.hostIP && b.containerPort === a.containerPort + 1 && b.hostPort === a.hostPort + 1;
}
