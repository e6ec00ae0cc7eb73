import type { Credentials } from '../../../lib/credentials.ts';
import { MooringError } from '../../../lib/errors.ts';
import { RegistrySession } from './registry-session.ts';
import type { RegistrySettings } from './registry-settings.ts';

/** Tries a login by the API's root, which every registry guards alike (OCI distribution spec, "Determining Support"). */
export async function login(registry: string, credentials: Credentials, settings: RegistrySettings, signal: AbortSignal | undefined): Promise<{ readonly identityToken?: string }> {
  // Only the registry itself is given them, and its token server.
  const only = { ...settings, credentials: async (host: string) => (host === registry ? credentials : undefined) };
  await using session = await RegistrySession.open(registry, [], only, signal);
  try {
    await (await session.send({ url: '/v2/', accept: [200], what: 'its API' })).body.dump();
  } catch (error) {
    if (!(error instanceof MooringError) || error.code !== 'Conflict') throw error;
    throw new MooringError('Conflict', `registry ${registry} refuses the login`, { fix: 'see that user name and password are right; some registries want an access token for a password' });
  }
  return session.identityToken === undefined ? {} : { identityToken: session.identityToken };
}
