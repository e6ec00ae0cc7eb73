import { z } from 'zod';
import { checkedBy } from './check.ts';
import { grammarString } from './grammar.ts';
import { invalid } from './invalid.ts';
import { DNS_LABEL, DNS_SUBDOMAIN, LABEL_VALUE, parseQualifiedName } from './kubernetes-names.ts';


/**
 * Fields that a cluster writes into metadata. In a file they are accepted, whatever they hold, and ignored,
 * and so is `status`: the output of `kubectl get -o yaml` is a valid file.
 */
export const CLUSTER_METADATA: readonly string[] = [
  'uid', 'resourceVersion', 'generation', 'creationTimestamp', 'deletionTimestamp', 'deletionGracePeriodSeconds',
  'managedFields', 'finalizers', 'ownerReferences', 'selfLink', 'generateName',
];

const MAX_LABELS = 256;
/** Kubernetes' TotalAnnotationSizeLimitB. */
const MAX_ANNOTATION_BYTES = 256 * 1024;

const keySchema = z.string().check(checkedBy(parseQualifiedName));

export const objectMetaSchema = z.strictObject({
  name: grammarString(DNS_SUBDOMAIN).meta({ description: 'Unique in its namespace on a node: lower-case letters, digits, `-` and `.`, at most 253 characters.' }),
  namespace: grammarString(DNS_LABEL).meta({ description: 'Groups names; two containers may share a name in different namespaces. Lower-case letters, digits and `-`, at most 63 characters.' }).default('default'),
  labels: z
    .record(keySchema, grammarString(LABEL_VALUE))
    .check(checkedBy((labels) => limitEntries(labels)))
    .meta({ description: 'Keys and values to select by. A value has at most 63 letters, digits, `-`, `_` and `.`; put numbers and booleans in quotes.' })
    .default({}),
  annotations: z
    .record(keySchema, z.string())
    .check(
      checkedBy((annotations) => {
        const size = Object.entries(annotations).reduce((sum, [key, value]) => sum + Buffer.byteLength(key) + Buffer.byteLength(value), 0);
        if (size > MAX_ANNOTATION_BYTES) throw invalid(`hold ${size} bytes together, at most ${MAX_ANNOTATION_BYTES} are allowed`);
        return annotations;
      }),
    )
    .meta({ description: 'Keys and free texts for people and tools, at most 256 KiB together.' })
    .default({}),
});

function limitEntries(labels: Record<string, string>): Record<string, string> {
  const count = Object.keys(labels).length;
  if (count > MAX_LABELS) throw invalid(`has ${count} entries, at most ${MAX_LABELS} are allowed`);
  return labels;
}
