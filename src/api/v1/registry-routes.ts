import type { CredentialFinder } from '../../lib/credentials.ts';
import { MooringError } from '../../lib/errors.ts';
import { sendJson } from '../reply.ts';
import { asked, type Call } from './call.ts';
import type { LoginResult, RegistryName, SearchResult } from './image-types.ts';
import { decodeRegistryAuth, REGISTRY_AUTH_HEADER } from './registry-auth.ts';
import type { Route } from './routes.ts';

const DEFAULT_LIMIT = 25;
const MAX_LIMIT = 1000;

/** What concerns registries rather than images. */
export const registryRoutes: readonly Route[] = [
  {
    method: 'GET',
    path: '/v1/registry',
    handle: (call, { images }) => sendJson(call, { kind: 'RegistryName', registry: images.registryOf(call.query.get('reference') ?? undefined) } satisfies RegistryName),
  },
  {
    method: 'POST',
    path: '/v1/registry/login',
    handle: async (call, { images }) => {
      const registry = asked(call, 'registry');
      const credentials = decodeRegistryAuth(call.request.headers[REGISTRY_AUTH_HEADER.toLowerCase()]);
      if (!credentials) throw new MooringError('Invalid', `the request has no login in the header ${REGISTRY_AUTH_HEADER}`);
      sendJson(call, { kind: 'LoginResult', ...(await images.login(registry, credentials, call.signal)) } satisfies LoginResult);
    },
  },
  {
    method: 'GET',
    path: '/v1/registry/search',
    handle: async (call, { images }) => {
      const limit = Number(call.query.get('limit') ?? DEFAULT_LIMIT);
      if (!Number.isInteger(limit) || limit < 1 || limit > MAX_LIMIT) throw new MooringError('Invalid', `the limit must be a whole number from 1 to ${MAX_LIMIT}`);
      const registry = asked(call, 'registry');
      const items = await images.search(registry, asked(call, 'term'), { limit, signal: call.signal, ...credentialsOf(call, registry) });
      sendJson(call, { kind: 'SearchResult', registry, items } satisfies SearchResult);
    },
  },
];

/** The login that came with a request, for that registry alone. */
export function credentialsOf(call: Call, registry: string): { readonly credentials?: CredentialFinder } {
  const given = decodeRegistryAuth(call.request.headers[REGISTRY_AUTH_HEADER.toLowerCase()]);
  return given ? { credentials: async (host) => (host === registry ? given : undefined) } : {};
}
