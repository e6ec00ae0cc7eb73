import { open } from 'node:fs/promises';
import path from 'node:path';

import type { CredentialFinder } from '../../../lib/credentials.ts';
import { credentialsFrom } from '../../../lib/docker-config.ts';
import { errnoOf, MooringError } from '../../../lib/errors.ts';

/** The logins that a secret holds, by its namespace and name. Throws `NotFound` where there is none, `Invalid` for one that is not fit for use. */
export type PullSecrets = (namespace: string, name: string) => Promise<CredentialFinder>;

const MAX_BYTES = 1024 * 1024;
/** Anything that somebody else may do. */
const OTHERS = 0o077;

/** Secrets as files `NAMESPACE/NAME.json` in a folder of the node, read anew each time. Only the daemon's user may be able to read them. */
export function pullSecretsIn(folder: string): PullSecrets {
  return async (namespace, name) => {
    const file = path.join(folder, namespace, `${name}.json`);
    const subject = `pull secret ${namespace}/${name}`;
    await using handle = await open(file, 'r').catch((cause: unknown) => {
      if (errnoOf(cause) !== 'ENOENT') throw new MooringError('Unavailable', `${subject} can't be read`, { at: file, cause });
      throw new MooringError('NotFound', `${subject} is not on this node`, { fix: `write ${file}, mode 0600, in the form of Docker's config.json` });
    });
    const { mode, uid, size } = await handle.stat();
    if ((mode & OTHERS) !== 0 || (uid !== 0 && uid !== process.geteuid?.())) {
      throw new MooringError('Invalid', `${subject} can be read or written by others`, { at: file, fix: `chown root ${file}; chmod 600 ${file}` });
    }
    if (size > MAX_BYTES) throw new MooringError('Invalid', `${subject} is larger than ${MAX_BYTES} bytes`, { at: file });
    return credentialsFrom(await handle.readFile('utf8'), file);
  };
}
