import { z } from 'zod';

const time = (description: string) => z.iso.datetime({ offset: true }).meta({ description: `${description} RFC 3339.` });

const conditionSchema = z
  .object({
    type: z.enum(['Ready', 'Progressing', 'Stalled', 'Healthy', 'Drifted']).meta({ description: '`Ready`: as desired, and well by its probes. `Progressing`: on the way there. `Stalled`: will not get there without help. `Healthy`, of a container with a health check: what its probes say. `Drifted`, of a container whose `spec.drift` asks for reports: it differs from what is declared, and is left so.' }),
    status: z.enum(['True', 'False', 'Unknown']).meta({ description: 'Whether the condition holds.' }),
    reason: z.string().max(1024).meta({ description: 'One CamelCase word, for programs.' }),
    message: z.string().max(32_768).meta({ description: 'The same for people.' }),
    lastTransitionTime: time('When `status` last changed.'),
    observedGeneration: z.int().min(0).meta({ description: 'The metadata.generation that the condition was judged by.' }),
  })
  .readonly();

const conditions = (what: string) =>
  z
    .array(conditionSchema)
    .max(8)
    .readonly()
    .meta({ description: `How far the ${what} is from what is desired.`, 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['type'] });

const driftSchema = z
  .object({
    kind: z.string().max(64).meta({ description: 'What drifted: Process, Frozen, Limits, Mounts, Rootfs, Bundle, Network, NetworkNamespace, Namespaces, Image, Files or Exec.' }),
    message: z.string().max(32_768).meta({ description: 'What was found and what was wanted.' }),
    time: time('When it was found.'),
  })
  .readonly();

export const containerStatusSchema = z
  .object({
    conditions: conditions('container'),
    observedGeneration: z.int().min(0).meta({ description: 'The metadata.generation that this status was judged by.' }),
    nodeName: z.exactOptional(z.string().max(253)).meta({ description: 'The node that runs it, where there is a cluster.' }),
    containerID: z.exactOptional(z.string().max(128)).meta({ description: 'Id of the present container, 64 hexadecimal digits.' }),
    imageID: z.exactOptional(z.string().max(256)).meta({ description: 'Digest of the configuration of the image that it was made from.' }),
    addresses: z.exactOptional(z.array(z.string().max(45)).max(64).readonly()).meta({ description: "The container's own addresses, network by network, IPv4 first; none in the modes `Host`, `None` and `Container`.", 'x-kubernetes-list-type': 'atomic' }),
    exposure: z.exactOptional(z.string().max(2048)).meta({ description: 'Who reaches its published ports from other machines, in words.' }),
    pid: z.exactOptional(z.int().min(1)).meta({ description: "The first process's id on the node, while it runs." }),
    startedAt: z.exactOptional(time('When the process last started.')),
    finishedAt: z.exactOptional(time('When the process last ended.')),
    exitCode: z.exactOptional(z.int().min(0).max(255)).meta({ description: 'How it last ended: its exit status, or 128 + n after signal n.' }),
    restartCount: z.int().min(0).meta({ description: 'Restarts since the name was first desired, or since somebody last asked for a run.' }),
    lastDrift: z.exactOptional(driftSchema).meta({ description: 'The last difference from the desired state that nobody had asked for.' }),
  })
  .readonly();

const containerCount = z.int().min(0).meta({ description: 'Containers that use it.' });

export const networkStatusSchema = z
  .object({
    conditions: conditions('network'),
    observedGeneration: z.int().min(0).meta({ description: 'The metadata.generation that this status was judged by.' }),
    subnets: z.exactOptional(z.array(z.string().max(49)).max(2).readonly()).meta({ description: 'Its subnets, IPv4 first, whether they were given or chosen.', 'x-kubernetes-list-type': 'atomic' }),
    gateways: z.exactOptional(z.array(z.string().max(45)).max(2).readonly()).meta({ description: 'Its gateways, IPv4 first.', 'x-kubernetes-list-type': 'atomic' }),
    link: z.exactOptional(z.string().max(15)).meta({ description: "The node's link that it is made of." }),
    containerCount,
  })
  .readonly();

export const volumeStatusSchema = z
  .object({
    conditions: conditions('volume'),
    observedGeneration: z.int().min(0).meta({ description: 'The metadata.generation that this status was judged by.' }),
    path: z.exactOptional(z.string().max(4095)).meta({ description: 'The folder of the node that holds its data; none where it is a mount.' }),
    createdAt: z.exactOptional(time('When its data was made.')),
    containerCount,
  })
  .readonly();

/** `status` of a `Network`. */
export type NetworkStatus = z.output<typeof networkStatusSchema>;

/** `status` of a `Volume`. */
export type VolumeStatus = z.output<typeof volumeStatusSchema>;

/** One row of `status.conditions`, as Kubernetes' metav1.Condition has it. */
export type Condition = z.output<typeof conditionSchema>;

/** `status` of a `Container`. */
export type ContainerStatus = z.output<typeof containerStatusSchema>;
