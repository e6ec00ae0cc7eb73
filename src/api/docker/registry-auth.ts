import { z } from 'zod';
import type { CredentialFinder, Credentials } from '../../lib/credentials.ts';
import { decodeRegistryAuth, REGISTRY_AUTH_HEADER } from '../v1/registry-auth.ts';
import type { DockerCall } from './call.ts';
import { DockerError } from './error-reply.ts';

/** The login in a request's header, for that registry alone. Without one, the node's own are used. */
export function credentialsFor({ request }: Pick<DockerCall, 'request'>, registry: string): { readonly credentials?: CredentialFinder } {
  const given = decodeRegistryAuth(request.headers[REGISTRY_AUTH_HEADER.toLowerCase()]);
  return given ? { credentials: async (host) => (host === registry ? given : undefined) } : {};
}

/** Docker Hub's, in the `auths` of a client's configuration. */
const HUB = /^(https?:\/\/)?(index\.)?docker\.io(\/v1\/?)?$/;

/** The registry that a client's `serveraddress` means. */
export function registryOf(address: string): string {
  if (address === '' || HUB.test(address)) return 'docker.io';
  return address.replace(/^https?:\/\//, '').replace(/\/.*$/, '');
}

const configSchema = z.record(z.string(), z.looseObject({ username: z.string().optional(), password: z.string().optional(), identitytoken: z.string().optional() }));

/** The logins of a build, for all registries that it may meet: `X-Registry-Config`. */
export function credentialsOfBuild({ request }: Pick<DockerCall, 'request'>): CredentialFinder | undefined {
  const header = request.headers['x-registry-config'];
  if (typeof header !== 'string' || header === '') return undefined;
  const logins = new Map<string, Credentials>();
  for (const [address, { username, password, identitytoken }] of Object.entries(decoded(header))) {
    if (identitytoken !== undefined && identitytoken !== '') logins.set(registryOf(address), { identityToken: identitytoken });
    else if (username !== undefined && username !== '' && password !== undefined) logins.set(registryOf(address), { username, password });
  }
  return logins.size === 0 ? undefined : async (host) => logins.get(host);
}

function decoded(header: string): z.output<typeof configSchema> {
  try {
    return configSchema.parse(JSON.parse(Buffer.from(header, 'base64').toString()) ?? {});
  } catch {
    // The cause would quote what may be a secret.
    throw new DockerError(400, 'the header X-Registry-Config is not a map of logins in base64');
  }
}
