import type { PullSecrets } from '../engine/images/registry/pull-secrets.ts';
import { credentialsFrom } from '../lib/docker-config.ts';
import { MooringError } from '../lib/errors.ts';
import type { DesiredStore } from '../reconcile/desired.ts';
import { describeResource, nameOf } from '../spec/resource.ts';
import type { SecretName } from '../spec/name.ts';

const TYPE = 'kubernetes.io/dockerconfigjson';

/** Logins from a desired Secret of that name, else from `files`. Throws `Invalid` for a Secret of another type. */
export function pullSecretsFrom(desired: Pick<DesiredStore, 'getOf'>, files: PullSecrets): PullSecrets {
  return async (namespace, name) => {
    const key = nameOf('Secret', { namespace, name }) as SecretName;
    const secret = desired.getOf('Secret', key)?.secret;
    if (secret === undefined) return await files(namespace, name);
    const what = describeResource('Secret', key);
    if (secret.type !== TYPE) throw new MooringError('Invalid', `${what} is of type ${secret.type}, and no login to a registry`, { fix: `make one of type ${TYPE}: kubectl create secret docker-registry --dry-run=client -o yaml` });
    return credentialsFrom(Buffer.from(secret.data['.dockerconfigjson'] ?? '', 'base64').toString('utf8'), what);
  };
}
