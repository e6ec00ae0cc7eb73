import { z } from 'zod';
import { type Finding, foundBy } from './check.ts';
import { base64Schema, configKeySchema, sizeFindings } from './config-data.ts';
import { objectMetaSchema } from './metadata.ts';

/** The keys that Kubernetes asks for by type; one of each list is enough. */
const REQUIRED_KEYS: Readonly<Record<string, readonly (readonly string[])[]>> = {
  'kubernetes.io/dockerconfigjson': [['.dockerconfigjson']],
  'kubernetes.io/dockercfg': [['.dockercfg']],
  'kubernetes.io/basic-auth': [['username', 'password']],
  'kubernetes.io/ssh-auth': [['ssh-privatekey']],
  'kubernetes.io/tls': [['tls.crt'], ['tls.key']],
};
const JSON_KEYS = ['.dockerconfigjson', '.dockercfg'];

/** `Secret` of Kubernetes' core group. What is wrong with one is told without its values. */
export const secretSchema = z
  .strictObject({
    apiVersion: z.literal('v1').meta({ description: 'Always `v1`.' }),
    kind: z.literal('Secret').meta({ description: 'Always `Secret`.' }),
    metadata: objectMetaSchema.meta({ description: 'Identity, labels and annotations.' }),
    type: z.string().min(1).max(253).meta({ description: 'What it is for. `kubernetes.io/dockerconfigjson`, `…/dockercfg`, `…/basic-auth`, `…/ssh-auth` and `…/tls` ask for the keys that they have in Kubernetes.' }).default('Opaque'),
    data: z.record(configKeySchema, base64Schema).meta({ description: 'Bytes in base64 by their keys: letters, digits, `-`, `_` and `.`.' }).default({}),
    stringData: z.record(configKeySchema, z.string()).meta({ description: 'Texts by their keys, to be written in clear. They are kept in `data`, over what that has.' }).default({}),
    immutable: z.boolean().meta({ description: 'Refuse changes of the data. To change it, delete the Secret and declare it anew.' }).default(false),
  })
  .check((payload) => {
    payload.value = merged(payload.value);
  }, foundBy(findings));

/** A validated and defaulted `Secret` document. `stringData` has gone into `data`. */
export type Secret = z.output<typeof secretSchema>;

function merged({ stringData, ...secret }: Secret): Secret {
  const texts = Object.entries(stringData).map(([key, text]) => [key, Buffer.from(text).toString('base64')] as const);
  return { ...secret, data: { ...secret.data, ...Object.fromEntries(texts) }, stringData: {} };
}

function findings({ type, data }: Secret): Finding[] {
  const required = REQUIRED_KEYS[type] ?? [];
  const missing = required.filter((keys) => !keys.some((key) => Object.hasOwn(data, key)));
  return [
    ...missing.map((keys) => ({ path: ['data'], message: `has no ${keys.join(' or ')}, which type ${type} asks for` })),
    ...(required.length > 0 ? JSON_KEYS : []).flatMap((key) => (data[key] !== undefined && !isJson(data[key]) ? [{ path: ['data', key], message: 'is not a JSON object', fix: 'take it from "kubectl create secret docker-registry"' }] : [])),
    ...sizeFindings('data', Object.values(data).map((text) => Buffer.from(text, 'base64'))),
  ];
}

function isJson(base64: string): boolean {
  try {
    const value: unknown = JSON.parse(Buffer.from(base64, 'base64').toString('utf8'));
    return typeof value === 'object' && value !== null;
  } catch {
    return false; // which is the answer
  }
}
