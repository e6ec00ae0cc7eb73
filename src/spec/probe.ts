import { z } from 'zod';
import { type CelRule, type Finding, foundBy } from './check.ts';
import { grammarString, kernelText } from './grammar.ts';

const HOST = { pattern: /^[A-Za-z0-9_.:-]+$/, maxLength: 253, what: 'an address or a host name' };
const PATH = { pattern: /^\/[!-~]*$/, maxLength: 4096, what: 'a path: a "/" with printable ASCII characters and no spaces behind it' };
/** A token of RFC 9110. */
const HEADER_NAME = { pattern: /^[-!#$%&'*+.^_`|~0-9A-Za-z]+$/, maxLength: 256, what: 'the name of a header' };
const HEADER_VALUE = { pattern: /^[\t -~]*$/, maxLength: 4096, what: 'the value of a header: printable ASCII characters' };
const SERVICE = { pattern: /^[!-~]*$/, maxLength: 256, what: 'the name of a service: printable ASCII characters without spaces' };

const portField = () => z.int().min(1).max(65_535).meta({ description: 'The port that it listens on.' });
const hostField = () =>
  grammarString(HOST)
    .meta({ description: "Where to connect to, seen from the node. Without it, the container's own address; with `network.mode: Host` the node's loopback, with `Container` the address of the other one." })
    .optional();

const execSchema = z
  .strictObject({
    command: z.array(kernelText()).min(1).max(1024).meta({ description: 'The program and its arguments. No shell is involved: write `[sh, -c, …]` for one.', 'x-kubernetes-list-type': 'atomic' }),
  })
  .meta({ description: 'Run a program in the container: exit status 0 passes.' });

const httpGetSchema = z
  .strictObject({
    port: portField(),
    path: grammarString(PATH).meta({ description: 'The path to ask for, with its query.' }).default('/'),
    host: hostField(),
    scheme: z.enum(['HTTP', 'HTTPS']).meta({ description: 'With `HTTPS` any certificate will do.' }).default('HTTP'),
    httpHeaders: z
      .array(z.strictObject({ name: grammarString(HEADER_NAME).meta({ description: 'Its name; `Host` in place of the address.' }), value: grammarString(HEADER_VALUE).meta({ description: 'Its value.' }) }))
      .max(64)
      .meta({ description: 'Headers to send.', 'x-kubernetes-list-type': 'atomic' })
      .default([]),
  })
  .meta({ description: 'Ask by HTTP: a status from 200 to 399 passes. Redirections on the same host are followed.' });

const tcpSocketSchema = z.strictObject({ port: portField(), host: hostField() }).meta({ description: 'Connect by TCP: a connection passes.' });

const grpcSchema = z
  .strictObject({ port: portField(), service: grammarString(SERVICE).meta({ description: 'The service to ask for; empty for the server as a whole.' }).default('') })
  .meta({ description: "Ask by gRPC's health checking protocol (`grpc.health.v1.Health/Check`), without TLS: `SERVING` passes." });

const KINDS = ['exec', 'httpGet', 'tcpSocket', 'grpc'] as const;

const seconds = (least: number, description: string) => z.int().min(least).max(86_400).meta({ description });

const probeFields = z.strictObject({
  exec: execSchema.optional(),
  httpGet: httpGetSchema.optional(),
  tcpSocket: tcpSocketSchema.optional(),
  grpc: grpcSchema.optional(),
  initialDelaySeconds: seconds(0, 'Seconds from the start of the container to the first probe.').default(0),
  periodSeconds: seconds(1, 'Seconds from the start of one probe to that of the next.').default(10),
  timeoutSeconds: seconds(1, 'Seconds that a probe may take; then it has failed.').default(1),
  successThreshold: z.int().min(1).max(1000).meta({ description: 'How many probes in a row must pass after one that failed. Only a readiness probe may want more than 1.' }).default(1),
  failureThreshold: z.int().min(1).max(1000).meta({ description: 'How many probes in a row must fail to count.' }).default(3),
  terminationGracePeriodSeconds: seconds(1, 'Seconds between `stopSignal` and SIGKILL where this probe has the container restarted, in place of `stopTimeoutSeconds`. Not of a readiness probe.').optional(),
});

type ProbeFields = z.output<typeof probeFields>;

const ONE_KIND: CelRule = {
  rule: `[${KINDS.map((kind) => `has(self.${kind})`).join(', ')}].filter(given, given).size() == 1`,
  message: 'a probe wants exactly one of exec, httpGet, tcpSocket and grpc',
};

function kindFindings(probe: ProbeFields): Finding[] {
  const given = KINDS.filter((kind) => probe[kind] !== undefined);
  if (given.length === 1) return [];
  if (given.length === 0) return [{ path: [], message: 'says nothing of how to probe', fix: 'give one of exec, httpGet, tcpSocket and grpc' }];
  return given.slice(1).map((kind) => ({ path: [kind], message: `stands beside ${given[0]}`, fix: 'keep one of them' }));
}

/** A probe that ends in a restart: one that passes is enough. */
function restartingProbe(description: string) {
  return probeFields
    .check(foundBy((probe) => [...kindFindings(probe), ...(probe.successThreshold === 1 ? [] : [{ path: ['successThreshold'], message: `is ${probe.successThreshold}`, fix: 'leave it out: only a readiness probe may want more than 1' }])]))
    .meta({ description, 'x-kubernetes-validations': [ONE_KIND, { rule: '!has(self.successThreshold) || self.successThreshold == 1', message: 'only a readiness probe may have a successThreshold other than 1' }] });
}

export const startupProbeSchema = restartingProbe('Holds the other two probes back until it has passed once. Where it fails so often, the container is ended, and restarted as `restartPolicy` and `restartBackoff` say.');
export const livenessProbeSchema = restartingProbe('Where it fails so often, the container is ended, and restarted as `restartPolicy` and `restartBackoff` say.');
export const readinessProbeSchema = probeFields
  .check(foundBy((probe) => [...kindFindings(probe), ...(probe.terminationGracePeriodSeconds === undefined ? [] : [{ path: ['terminationGracePeriodSeconds'], message: 'says nothing: a readiness probe ends nothing', fix: 'leave it out' }])]))
  .meta({
    description: 'Whether the container is ready for what others want of it: the condition `Ready`, which `dependsOn` goes by.',
    'x-kubernetes-validations': [ONE_KIND, { rule: '!has(self.terminationGracePeriodSeconds)', message: 'a readiness probe has no terminationGracePeriodSeconds' }],
  });

export type ContainerProbe = ProbeFields;

export const PROBE_FIELDS = ['startupProbe', 'readinessProbe', 'livenessProbe'] as const;

/** What of a spec's probes wants an address, though a container without a network has none. */
export function unreachableProbes(spec: Partial<Readonly<Record<(typeof PROBE_FIELDS)[number], ContainerProbe | undefined>>>): Finding[] {
  return PROBE_FIELDS.flatMap((field) => {
    const { httpGet, tcpSocket, grpc } = spec[field] ?? {};
    const kind = httpGet !== undefined && httpGet.host === undefined ? 'httpGet' : tcpSocket !== undefined && tcpSocket.host === undefined ? 'tcpSocket' : grpc !== undefined ? 'grpc' : undefined;
    return kind === undefined ? [] : [{ path: [field, kind], message: 'there is no address to reach it at in network mode None', fix: 'set network.mode to Bridge, or probe by exec' }];
  });
}

/** The same in CEL. */
export const REACHABLE_PROBES: readonly CelRule[] = PROBE_FIELDS.map((field) => ({
  rule: `!has(self.${field}) || (has(self.network) && has(self.network.mode) && self.network.mode != 'None') || has(self.${field}.exec) || (has(self.${field}.httpGet) && has(self.${field}.httpGet.host)) || (has(self.${field}.tcpSocket) && has(self.${field}.tcpSocket.host))`,
  message: `${field} by httpGet, tcpSocket or grpc wants a network; without one, exec`,
}));
