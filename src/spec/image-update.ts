import { z } from 'zod';
import { durationField } from './duration-field.ts';
import { grammarString } from './grammar.ts';
import { DNS_SUBDOMAIN } from './kubernetes-names.ts';

/** Registries limit how often they are asked. */
const LEAST_INTERVAL = '5s';

export const imageUpdatePolicySchema = z
  .strictObject({
    interval: durationField(LEAST_INTERVAL, 'How often to ask, give or take a fifth; after failures less often. A duration from `5s` to `24h`.').default('5m'),
  })
  .meta({ description: 'Follow the tag in `image`: ask the registry what it stands for, and when it has moved, fetch the image and replace the container. Without it, a tag is resolved when the container is created.' });

export const imagePullSecretsSchema = z
  .array(z.strictObject({ name: grammarString(DNS_SUBDOMAIN).meta({ description: 'Name of the secret.' }) }))
  .max(16)
  .meta({
    description: "Logins to fetch the image with, before the node's own. Each names a `Secret` of the container's namespace, of type `kubernetes.io/dockerconfigjson`; where there is none of that name, the file `NAMESPACE/NAME.json` in the daemon's folder of pull secrets, in the form of Docker's config.json.",
    'x-kubernetes-list-type': 'map',
    'x-kubernetes-list-map-keys': ['name'],
  });

export type ImageUpdatePolicy = z.output<typeof imageUpdatePolicySchema>;

/** What is wrong with following an image's tag; undefined where nothing is. A text that is no reference is refused elsewhere. */
export function unfollowable(image: string): { readonly message: string; readonly fix: string } | undefined {
  return !image.includes('@') ? undefined : { message: 'a digest never moves, so there is nothing to follow', fix: 'leave out imageUpdatePolicy, or the digest in image' };
}
