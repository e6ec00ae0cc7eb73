import type { z } from 'zod';
import { configMapSchema } from '../../src/spec/config-map.ts';
import { containerStatusSchema, networkStatusSchema, volumeStatusSchema } from '../../src/spec/condition.ts';
import { containerSchema, containerSpecSchema } from '../../src/spec/container.ts';
import { networkResourceSchema, networkSpecSchema } from '../../src/spec/network.ts';
import type { ResourceKind } from '../../src/spec/resource.ts';
import { secretSchema } from '../../src/spec/secret.ts';
import { volumeResourceSchema, volumeSpecSchema } from '../../src/spec/volume.ts';
import { CONFIG_MAP_PAGE, CONTAINER_PAGE, NETWORK_PAGE, SECRET_PAGE, VOLUME_PAGE } from './introductions.ts';

/** What the generators want to know of a kind. */
export interface Kind {
  readonly kind: ResourceKind;
  readonly plural: string;
  readonly shortName: string;
  /** Of `kubectl get`, between those of readiness and the age: name, type, path. */
  readonly columns: readonly (readonly [string, string, string])[];
  readonly description: string;
  readonly resource: z.ZodType;
  readonly spec: z.ZodType;
  readonly specDescription: string;
  /** Whether a resource may come without one. */
  readonly specOptional: boolean;
  readonly status: z.ZodType;
  readonly statusDescription: string;
  /** The reference page down to its table of fields. */
  readonly introduction: string;
}

export const KINDS: readonly Kind[] = [
  {
    kind: 'Container',
    plural: 'containers',
    shortName: 'mc',
    columns: [
      ['Restarts', 'integer', '.status.restartCount'],
      ['Node', 'string', '.status.nodeName'],
      ['Image', 'string', '.spec.image'],
    ],
    description: 'A container that Mooring keeps as it is described here.',
    resource: containerSchema,
    spec: containerSpecSchema,
    specDescription: 'What should run.',
    specOptional: false,
    status: containerStatusSchema,
    statusDescription: 'What runs.',
    introduction: CONTAINER_PAGE,
  },
  {
    kind: 'Network',
    plural: 'networks',
    shortName: 'mn',
    columns: [
      ['Driver', 'string', '.spec.driver'],
      ['Subnets', 'string', '.status.subnets'],
      ['Containers', 'integer', '.status.containerCount'],
    ],
    description: 'A network of containers on the node.',
    resource: networkResourceSchema,
    spec: networkSpecSchema,
    specDescription: 'What the network is like.',
    specOptional: true,
    status: networkStatusSchema,
    statusDescription: 'What there is of it.',
    introduction: NETWORK_PAGE,
  },
  {
    kind: 'Volume',
    plural: 'volumes',
    shortName: 'mv',
    columns: [
      ['Driver', 'string', '.spec.driver'],
      ['Reclaim', 'string', '.spec.reclaimPolicy'],
      ['Containers', 'integer', '.status.containerCount'],
    ],
    description: 'Data that outlives the containers that use it.',
    resource: volumeResourceSchema,
    spec: volumeSpecSchema,
    specDescription: 'What the volume is like.',
    specOptional: true,
    status: volumeStatusSchema,
    statusDescription: 'What there is of it.',
    introduction: VOLUME_PAGE,
  },
];

/** A kind that is Kubernetes' own: there is nothing to define of it in a cluster. */
export type CoreKind = Pick<Kind, 'kind' | 'resource' | 'introduction'>;

export const CORE_KINDS: readonly CoreKind[] = [
  { kind: 'ConfigMap', resource: configMapSchema, introduction: CONFIG_MAP_PAGE },
  { kind: 'Secret', resource: secretSchema, introduction: SECRET_PAGE },
];
