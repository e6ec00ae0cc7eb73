import type { RegistryName } from '../api/v1/image-types.ts';
import { encodeRegistryAuth, REGISTRY_AUTH_HEADER } from '../api/v1/registry-auth.ts';
import { dockerConfigFile, findCredentials } from '../lib/docker-config.ts';
import { exists } from '../lib/exists.ts';
import type { Client } from './client.ts';

/** The header with this user's login for the registry of a reference; none where "login" left nothing, and the daemon then uses its own. */
export async function registryAuth(client: Client, reference: string): Promise<Record<string, string>> {
  const file = dockerConfigFile();
  if (!(await exists(file))) return {};
  return authFor(await registryOf(client, reference), file);
}

/** As `registryAuth`, where the registry is known. */
export async function authFor(registry: string, file: string = dockerConfigFile()): Promise<Record<string, string>> {
  const found = await findCredentials(registry, file);
  return found ? { [REGISTRY_AUTH_HEADER]: encodeRegistryAuth(found) } : {};
}

/** The registry that a reference means to the daemon, whose default may be set; without a reference, that default. */
export async function registryOf(client: Client, reference?: string): Promise<string> {
  const query = reference === undefined ? '' : `?${new URLSearchParams({ reference }).toString()}`;
  return (await client.get<RegistryName>(`/v1/registry${query}`)).registry;
}
