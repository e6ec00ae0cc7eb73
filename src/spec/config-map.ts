import { z } from 'zod';
import { foundBy } from './check.ts';
import { base64Schema, configKeySchema, sizeFindings } from './config-data.ts';
import { objectMetaSchema } from './metadata.ts';

/** `ConfigMap` of Kubernetes' core group, as `kubectl create configmap --dry-run=client -o yaml` prints it. */
export const configMapSchema = z
  .strictObject({
    apiVersion: z.literal('v1').meta({ description: 'Always `v1`.' }),
    kind: z.literal('ConfigMap').meta({ description: 'Always `ConfigMap`.' }),
    metadata: objectMetaSchema.meta({ description: 'Identity, labels and annotations.' }),
    data: z.record(configKeySchema, z.string()).meta({ description: 'Texts by their keys: letters, digits, `-`, `_` and `.`.' }).default({}),
    binaryData: z.record(configKeySchema, base64Schema).meta({ description: 'Bytes in base64 by their keys, none of which is in `data`. They are for mounts, not for variables.' }).default({}),
    immutable: z.boolean().meta({ description: 'Refuse changes of the data. To change it, delete the ConfigMap and declare it anew.' }).default(false),
  })
  .check(
    foundBy(({ data, binaryData }) => [
      ...Object.keys(binaryData).flatMap((key) => (Object.hasOwn(data, key) ? [{ path: ['binaryData', key], message: 'is in data, too', fix: 'keep one of the two' }] : [])),
      ...sizeFindings('data', [...Object.values(data).map((text) => Buffer.from(text)), ...Object.values(binaryData).map((text) => Buffer.from(text, 'base64'))]),
    ]),
  );

/** A validated and defaulted `ConfigMap` document. */
export type ConfigMap = z.output<typeof configMapSchema>;
