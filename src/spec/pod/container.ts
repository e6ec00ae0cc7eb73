import { parseQuantity, quantityIn } from '../quantity.ts';
import { parseCpu } from '../resources.ts';
import type { ContainerSpecInput } from '../translate/draft.ts';
import type { Field } from '../translate/field.ts';
import { FieldError } from '../translate/problem-list.ts';
import { entriesOf, fieldsAmong, flagOf, integerOf, itemsOf, textOf, wordOf } from '../translate/read-field.ts';
import { envFromOf } from './config.ts';
import { environmentOf, putWords } from './env.ts';
import { type Handlers, type PodContainer, put, refused, unheard } from './handler.ts';
import { probeOf } from './probe.ts';

/** The fields of a pod's container, but for its mounts, its ports and its security context, which others join in. */
export const CONTAINER: Handlers<PodContainer> = {
  name: unheard,
  image: (field, container) => put(container, { image: textOf(field) }, field),
  imagePullPolicy: (field, container) => put(container, { imagePullPolicy: wordOf(field, ['Always', 'IfNotPresent', 'Never']) }, field),
  command: (field, container) => putWords('command', field, container),
  args: (field, container) => putWords('args', field, container),
  workingDir: (field, container) => put(container, { workingDir: textOf(field) }, field),
  env: (field, container) => {
    for (const { variable, from } of environmentOf(field, container.pod)) put(container, { env: [variable] }, from);
  },
  envFrom: (field, container) => {
    for (const item of itemsOf(field)) put(container, { envFrom: [envFromOf(item)] }, item);
  },
  resources: (field, container) => resourcesOf(field, container),
  tty: (field, container) => put(container, { tty: flagOf(field) }, field),
  stdin: (field, container) => put(container, { stdin: flagOf(field) }, field),
  stdinOnce: (field, container) => put(container, { stdinOnce: flagOf(field) }, field),
  ports: unheard,
  volumeMounts: unheard,
  securityContext: unheard,
  volumeDevices: refused('block devices as volumes are not supported'),
  lifecycle: (field, container) => {
    const { stopSignal, postStart, preStop } = fieldsAmong(field, ['stopSignal', 'postStart', 'preStop']);
    for (const hook of [postStart, preStop]) if (hook !== undefined) throw new FieldError(hook, 'hooks are not supported', 'leave it out', true);
    if (stopSignal !== undefined) put(container, { stopSignal: textOf(stopSignal) }, stopSignal);
  },
  livenessProbe: (field, container) => put(container, { livenessProbe: probeOf(field, container) }, field),
  readinessProbe: (field, container) => put(container, { readinessProbe: probeOf(field, container) }, field),
  startupProbe: (field, container) => put(container, { startupProbe: probeOf(field, container) }, field),
  restartPolicy: refused('a restart policy of a single container is not supported', "leave it out for the pod's"),
  restartPolicyRules: refused('rules of the restart policy are not supported'),
  resizePolicy: unheard,
  // What a pod's status would show.
  terminationMessagePath: unheard,
  terminationMessagePolicy: unheard,
};

function resourcesOf(field: Field, container: PodContainer): void {
  const { limits, requests, claims } = fieldsAmong(field, ['limits', 'requests', 'claims']);
  if (claims !== undefined) throw new FieldError(claims, 'devices are not claimed for containers', 'leave it out', true);
  for (const [name, value] of limits === undefined ? [] : entriesOf(limits)) {
    if (name === 'cpu' || name === 'memory') put(container, { resources: { [name]: value.value as string | number } }, value);
    else if (name === 'ephemeral-storage') container.pod.problems.warn(value, 'is not limited');
    else throw new FieldError(value, 'is a resource that is not known here', 'leave it out', true);
  }
  for (const [name, value] of requests === undefined ? [] : entriesOf(requests)) {
    if (name === 'cpu') put(container, { resources: { cpuShares: shares(value) } }, value);
    else if (name === 'memory' || name === 'ephemeral-storage') container.pod.problems.warn(value, 'is not kept free for a container');
    else throw new FieldError(value, 'is a resource that is not known here', 'leave it out', true);
  }
}

/** The kubelet's MilliCPUToShares. */
function shares(field: Field): number {
  const quantity = field.value as string | number;
  if (quantityIn(parseQuantity(quantity), 1n) === 0n) return 2;
  return Math.min(262_144, Math.max(2, Math.floor((parseCpu(quantity) * 1024) / 1000)));
}

type Port = NonNullable<ContainerSpecInput['ports']>[number];

/** The ports of a container; on the node's own network a hostPort is the containerPort, and says nothing more. */
export function portsOf(container: PodContainer, hostNetwork: boolean): { readonly port: Port; readonly from: Field }[] {
  const field = container.field.get('ports');
  return (field === undefined ? [] : itemsOf(field)).map((item) => {
    const { containerPort, hostPort, hostIP, protocol, name } = fieldsAmong(item, ['containerPort', 'hostPort', 'hostIP', 'protocol', 'name']);
    if (containerPort === undefined) throw new FieldError(item, 'has no containerPort');
    const inside = integerOf(containerPort);
    const outside = hostPort === undefined || integerOf(hostPort) === 0 ? undefined : integerOf(hostPort);
    if (hostNetwork && outside !== undefined && outside !== inside) throw new FieldError(hostPort ?? item, `is ${outside}, and on the node's own network containerPort (${inside}) is what is open`, 'make both the same');
    return {
      from: item,
      port: {
        containerPort: inside,
        ...(protocol !== undefined && { protocol: wordOf(protocol, ['TCP', 'UDP', 'SCTP']) }),
        ...(name !== undefined && { name: textOf(name) }),
        ...(!hostNetwork && outside !== undefined && { hostPort: outside, ...(hostIP !== undefined && textOf(hostIP) !== '' && { hostIP: textOf(hostIP) }) }),
      },
    };
  });
}
