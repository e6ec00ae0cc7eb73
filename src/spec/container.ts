import { z } from 'zod';

export const API_VERSION = 'mooring.dev/v1alpha1';

// Draft of the kind's shape; the spec room refines validation and descriptions, the names and the nesting stand.
export const containerSpecSchema = z.strictObject({
  image: z.string(),
  command: z.array(z.string()).optional(),
  args: z.array(z.string()).optional(),
  env: z.array(z.strictObject({ name: z.string(), value: z.string().default('') })).default([]),
  workingDir: z.string().optional(),
  user: z.string().optional(),
  hostname: z.string().optional(),
  tty: z.boolean().default(false),
  mounts: z
    .array(
      z.strictObject({
        mountPath: z.string(),
        readOnly: z.boolean().default(false),
        bind: z.strictObject({ source: z.string() }).optional(),
        tmpfs: z.strictObject({ size: z.union([z.int(), z.string()]).optional() }).optional(),
      }),
    )
    .default([]),
  ports: z
    .array(
      z.strictObject({
        name: z.string().optional(),
        containerPort: z.int(),
        protocol: z.enum(['TCP', 'UDP', 'SCTP']).default('TCP'),
      }),
    )
    .default([]),
  resources: z
    .strictObject({
      cpu: z.union([z.int(), z.string()]).optional(),
      memory: z.union([z.int(), z.string()]).optional(),
      pids: z.int().optional(),
    })
    .default({}),
  restartPolicy: z.enum(['Always', 'OnFailure', 'Never']).default('Always'),
  restartBackoff: z
    .strictObject({
      initial: z.string().default('10s'),
      max: z.string().default('5m'),
      resetAfter: z.string().default('10m'),
    })
    .default({ initial: '10s', max: '5m', resetAfter: '10m' }),
  stopSignal: z.string().default('SIGTERM'),
  stopTimeoutSeconds: z.int().default(10),
  readOnlyRootFilesystem: z.boolean().default(false),
  capabilities: z.strictObject({ add: z.array(z.string()).default([]), drop: z.array(z.string()).default([]) }).default({ add: [], drop: [] }),
  privileged: z.boolean().default(false),
  network: z.strictObject({ mode: z.enum(['Host', 'None']).default('None') }).default({ mode: 'None' }),
  suspend: z.boolean().default(false),
});

export const objectMetaSchema = z.strictObject({
  name: z.string(),
  namespace: z.string().default('default'),
  labels: z.record(z.string(), z.string()).default({}),
  annotations: z.record(z.string(), z.string()).default({}),
});

export const containerSchema = z.strictObject({
  apiVersion: z.literal(API_VERSION),
  kind: z.literal('Container'),
  metadata: objectMetaSchema,
  spec: containerSpecSchema,
});

/** A validated and defaulted `Container` document, without status. */
export type Container = z.output<typeof containerSchema>;
export type ContainerSpec = z.output<typeof containerSpecSchema>;
