import { CLUSTER_METADATA } from '../metadata.ts';
import type { ParsedDocument, ParseResult } from '../parsed.ts';
import { isMapping } from '../schema-walk.ts';
import { type ContainerSpecInput, Draft } from '../translate/draft.ts';
import type { Field } from '../translate/field.ts';
import { FieldError, ProblemList } from '../translate/problem-list.ts';
import { entriesOf, fieldsAmong, flagOf, integerOf, itemsOf, textOf, unknownField, wordOf } from '../translate/read-field.ts';
import { CONTAINER, portsOf } from './container.ts';
import { type Handlers, type Pod, type PodContainer, put, refused, unheard, unkept } from './handler.ts';
import { secure } from './security.ts';
import { mountOf, volumesOf } from './volumes.ts';

/** Whether a document claims to be a pod, as the kubelet's static pods are. */
export function isPod(value: unknown): boolean {
  return isMapping(value) && value['apiVersion'] === 'v1' && value['kind'] === 'Pod';
}

/** The fields of a pod's spec, but for those that several of its containers share in. */
const POD: Handlers<Pod> = {
  containers: unheard,
  volumes: unheard,
  securityContext: unheard,
  restartPolicy: unheard,
  terminationGracePeriodSeconds: unheard,
  hostNetwork: unheard,
  hostname: unheard,
  hostAliases: unheard,
  dnsConfig: unheard,
  dnsPolicy: unheard,
  imagePullSecrets: unheard,
  initContainers: refused('init containers are not supported', 'have the containers do their work, or a container with restartPolicy Never'),
  ephemeralContainers: refused('is for a pod that runs', 'use mooring exec'),
  hostPID: unheard,
  hostIPC: unheard,
  shareProcessNamespace: onlyFalse('containers of a pod do not see each other\'s processes'),
  hostUsers: (field) => {
    if (!flagOf(field)) throw new FieldError(field, 'user namespaces are not supported', 'leave it out', true);
  },
  runtimeClassName: refused('containers are run by the runtime of Mooring alone'),
  activeDeadlineSeconds: refused('a pod is not ended by time'),
  resources: refused('limits of all containers of a pod together are not supported', "set each container's"),
  resourceClaims: refused('devices are not claimed for pods'),
  serviceAccountName: unkept('there is no cluster whose account it could have'),
  serviceAccount: unkept('there is no cluster whose account it could have'),
  subdomain: refused('domains of pods are not supported'),
  setHostnameAsFQDN: onlyFalse('domains of pods are not supported'),
  os: (field) => {
    const { name } = fieldsAmong(field, ['name']);
    if (name !== undefined) wordOf(name, ['linux']);
  },
  // Where and when a scheduler would run it: it is here, and now.
  ...Object.fromEntries(
    [
      'nodeName', 'nodeSelector', 'affinity', 'tolerations', 'topologySpreadConstraints', 'schedulerName', 'schedulingGates', 'priority', 'priorityClassName', 'preemptionPolicy', 'overhead', 'readinessGates',
      'automountServiceAccountToken', 'enableServiceLinks',
    ].map((name) => [name, unheard]),
  ),
};

function onlyFalse(message: string): Handlers<Pod>[string] {
  return (field) => {
    if (flagOf(field)) throw new FieldError(field, message, 'leave it out', true);
  };
}

/**
 * What a v1 Pod becomes: a Container `POD-CONTAINER` for each of its containers, which share the network of the first, and a Volume for each emptyDir. With a problem
 * that is no warning there are none of them.
 */
export function translatePod(document: Field): ParseResult {
  const problems = new ProblemList(document.source.name);
  const documents = problems.attempt(document, () => documentsOf(document, problems)) ?? [];
  return { documents: problems.good ? documents : [], problems: problems.list() };
}

function documentsOf(document: Field, problems: ProblemList): ParsedDocument[] {
  const { metadata, spec } = fieldsAmong(document, ['apiVersion', 'kind', 'metadata', 'spec', 'status']);
  if (metadata === undefined || spec === undefined) throw new FieldError(document, 'has not both of metadata and spec');
  fieldsAmong<string>(metadata, ['name', 'namespace', 'labels', 'annotations', ...CLUSTER_METADATA]);
  const [podName, namespace] = [metadata.get('name'), metadata.get('namespace')];
  if (podName === undefined) throw new FieldError(metadata, 'has no name');
  const pod: Pod = { name: textOf(podName), namespace: namespace === undefined ? 'default' : textOf(namespace), field: document, spec, problems };
  handle(spec, POD, pod, problems);
  const labels = { ...texts(metadata.get('labels')), 'io.kubernetes.pod.name': pod.name };
  const volumes = volumesOf(pod, labels);
  const containers = spec.get('containers');
  const items = containers === undefined ? [] : itemsOf(containers);
  if (items.length === 0) throw new FieldError(spec, 'has no containers');
  const hostNetwork = flag(spec.get('hostNetwork'));
  const drafts = items.map((field): PodContainer => {
    const name = field.get('name');
    if (name === undefined) throw new FieldError(field, 'has no name');
    return { name: textOf(name), field, pod, draft: new Draft<ContainerSpecInput>() };
  });
  for (const [index, container] of drafts.entries()) {
    put(container, commonOf(pod), spec);
    handle(container.field, CONTAINER, container, problems);
    problems.attempt(container.field, () => {
      for (const item of listOf(container.field.get('volumeMounts'))) {
        const mount = problems.attempt(item, () => mountOf(item, volumes));
        if (mount !== undefined) put(container, { mounts: [mount] }, item);
      }
      secure(container, index === 0 || hostNetwork);
    });
    connect(container, drafts, hostNetwork);
  }
  const annotations = texts(metadata.get('annotations'));
  return [
    ...[...volumes.values()].flatMap((volume) => volume?.document ?? []),
    ...drafts.flatMap(({ name, field, draft }) => draft.document('Container', { name: `${pod.name}-${name}`, namespace: pod.namespace, labels: { ...labels, 'io.kubernetes.container.name': name }, annotations }, field, problems) ?? []),
  ];
}

/** What each container has from its pod. */
function commonOf({ spec, name }: Pod): Partial<ContainerSpecInput> {
  const policy = spec.get('restartPolicy');
  const grace = spec.get('terminationGracePeriodSeconds');
  const hostname = spec.get('hostname');
  return {
    restartPolicy: policy === undefined ? 'Always' : wordOf(policy, ['Always', 'OnFailure', 'Never']),
    stopTimeoutSeconds: grace === undefined ? 30 : integerOf(grace),
    // On the node's own network it has the node's name.
    ...(!flag(spec.get('hostNetwork')) && { hostname: hostname === undefined ? name.slice(0, 63).replace(/[-.]+$/, '') : textOf(hostname) }),
    namespaces: { ...(flag(spec.get('hostPID')) && { pid: 'Host' }), ...(flag(spec.get('hostIPC')) && { ipc: 'Host' }) },
    imagePullSecrets: listOf(spec.get('imagePullSecrets')).flatMap((item) => {
      const secret = item.get('name');
      return secret === undefined ? [] : [{ name: textOf(secret) }];
    }),
  };
}

/** Containers of a pod have one network: the first one's, which has the ports of all of them. */
function connect(container: PodContainer, all: readonly PodContainer[], hostNetwork: boolean): void {
  const { pod } = container;
  const [first] = all;
  if (container !== first && !hostNetwork) return put(container, { network: { mode: 'Container', container: `${pod.name}-${first?.name ?? ''}` } }, container.field);
  put(container, { network: { mode: hostNetwork ? 'Host' : 'Bridge' } }, pod.spec);
  for (const each of hostNetwork ? [container] : all) {
    pod.problems.attempt(each.field, () => {
      for (const { port, from } of portsOf(each, hostNetwork)) put(container, { ports: [port] }, from);
    });
  }
  for (const item of listOf(pod.spec.get('hostAliases'))) {
    const { ip, hostnames } = fieldsAmong(item, ['ip', 'hostnames']);
    if (ip === undefined || hostnames === undefined) throw new FieldError(item, 'has not both of ip and hostnames');
    put(container, { network: { extraHosts: [{ ip: textOf(ip), hostnames: itemsOf(hostnames).map(textOf) }] } }, item);
  }
  const policy = pod.spec.get('dnsPolicy');
  if (policy !== undefined) wordOf(policy, ['ClusterFirst', 'ClusterFirstWithHostNet', 'Default', 'None']);
  const dns = pod.spec.get('dnsConfig');
  if (dns === undefined) return;
  const { nameservers, searches, options } = fieldsAmong(dns, ['nameservers', 'searches', 'options']);
  const optionOf = (item: Field): string => {
    const { name, value } = fieldsAmong(item, ['name', 'value']);
    if (name === undefined) throw new FieldError(item, 'has no name');
    return value === undefined ? textOf(name) : `${textOf(name)}:${textOf(value)}`;
  };
  put(container, { network: { dns: { servers: listOf(nameservers).map(textOf), searches: listOf(searches).map(textOf), options: listOf(options).map(optionOf) } } }, dns);
}

/** Has each field of a mapping handled; what is wrong with one is told, and the others go on. */
function handle<Target>(mapping: Field, handlers: Handlers<Target>, target: Target, problems: ProblemList): void {
  for (const [key, value] of problems.attempt(mapping, () => entriesOf(mapping)) ?? []) {
    problems.attempt(value, () => {
      const handler = Object.hasOwn(handlers, key) ? handlers[key] : undefined;
      if (handler === undefined) throw unknownField(value, key, Object.keys(handlers));
      if (value.value !== null) handler(value, target);
    });
  }
}

const flag = (field: Field | undefined): boolean => field !== undefined && flagOf(field);
const listOf = (field: Field | undefined): readonly Field[] => (field === undefined ? [] : itemsOf(field));

function texts(field: Field | undefined): Record<string, string> {
  return Object.fromEntries(field === undefined ? [] : entriesOf(field).map(([key, value]) => [key, textOf(value)]));
}
