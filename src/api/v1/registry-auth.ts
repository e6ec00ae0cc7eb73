/** How a request carries a login for the registry that it speaks of: in a header, as the Docker Engine API has it. */
import type { Credentials } from '../../lib/credentials.ts';
import { MooringError } from '../../lib/errors.ts';

export const REGISTRY_AUTH_HEADER = 'X-Registry-Auth';

/** base64url of JSON with `username` and `password`, or `identitytoken`. */
export function encodeRegistryAuth(credentials: Credentials): string {
  const auth = 'password' in credentials ? { username: credentials.username, password: credentials.password } : { identitytoken: credentials.identityToken };
  return Buffer.from(JSON.stringify(auth)).toString('base64url');
}

/** Undefined for a header that is not there or holds no login, which Docker's clients send, too. Throws `Invalid`. */
export function decodeRegistryAuth(header: string | readonly string[] | undefined): Credentials | undefined {
  if (typeof header !== 'string' || header === '') return undefined;
  let auth: Readonly<Record<string, unknown>>;
  try {
    auth = Object(JSON.parse(Buffer.from(header, 'base64url').toString())) as Readonly<Record<string, unknown>>;
  } catch {
    // The cause would quote what may be a secret.
    throw new MooringError('Invalid', `the header ${REGISTRY_AUTH_HEADER} is not JSON in base64`);
  }
  const { username, password, identitytoken } = auth;
  if (typeof identitytoken === 'string' && identitytoken !== '') return { identityToken: identitytoken };
  return typeof username === 'string' && username !== '' && typeof password === 'string' ? { username, password } : undefined;
}
