import { z } from 'zod';
import { MooringError } from '../../lib/errors.ts';
import { sendJson } from '../reply.ts';
import { type DockerCall, param, readJson } from './call.ts';
import type { DockerServices } from './docker-services.ts';
import { DockerError } from './error-reply.ts';
import { credentialsFor, registryOf } from './registry-auth.ts';
import type { DockerRoute } from './route.ts';

/** What is asked of registries. */
export const registryRoutes: readonly DockerRoute[] = [
  { method: 'POST', path: '/auth', handle: login },
  { method: 'GET', path: '/images/search', handle: search },
  { method: 'GET', path: '/distribution/:name/json', handle: distribution },
];

const text = z.string().nullish().transform((value) => value ?? '');
const authSchema = z.object({ username: text, password: text, identitytoken: text, serveraddress: text });

const DEFAULT_LIMIT = 25;
const MAX_LIMIT = 100;
const SEARCH_FILTERS = ['is-automated', 'is-official', 'stars'] as const;

async function login(call: DockerCall, { images }: DockerServices): Promise<void> {
  const { username, password, identitytoken, serveraddress } = await readJson(call, authSchema);
  const credentials = identitytoken === '' ? { username, password } : { identityToken: identitytoken };
  try {
    const { identityToken = '' } = await images.login(registryOf(serveraddress), credentials, call.signal);
    sendJson(call, { Status: 'Login Succeeded', IdentityToken: identityToken });
  } catch (error) {
    if (error instanceof MooringError && error.code === 'Conflict') throw new DockerError(401, error.message, { cause: error });
    throw error;
  }
}

async function search(call: DockerCall, { images }: DockerServices): Promise<void> {
  const term = call.query.required('term');
  const limit = call.query.number('limit') ?? DEFAULT_LIMIT;
  if (limit < 0 || limit > MAX_LIMIT) throw new DockerError(400, `Limit ${limit} is outside the range of [1, ${MAX_LIMIT}]`);
  const filters = call.query.filters(SEARCH_FILTERS);
  const [official, automated, stars = 0] = [filters.flag('is-official'), filters.flag('is-automated'), ...filters.values('stars').map(Number)];
  if (!Number.isInteger(stars)) throw new DockerError(400, `Invalid filter 'stars=${JSON.stringify(filters.values('stars'))}'`);
  // A term may begin with the registry to search.
  const slash = term.indexOf('/');
  const first = term.slice(0, Math.max(slash, 0));
  const isHost = /[.:]/.test(first) || first === 'localhost';
  const registry = isHost ? first : images.registryOf();
  const hits = await images.search(registry, isHost ? term.slice(slash + 1) : term, { limit: limit === 0 ? DEFAULT_LIMIT : limit, signal: call.signal, ...credentialsFor(call, registry) });
  sendJson(
    call,
    hits
      .filter((hit) => (official === undefined || hit.official === official) && automated !== true && (hit.stars ?? 0) >= stars)
      .map(({ name, description, stars: count, official: is_official }) => ({ star_count: count ?? 0, is_official, name, is_automated: false, description })),
  );
}

async function distribution(call: DockerCall, { images }: DockerServices): Promise<void> {
  const name = param(call, 'name');
  const { mediaType, digest, size, platforms } = await images.describe(name, { signal: call.signal, ...credentialsFor(call, images.registryOf(name)) });
  sendJson(call, {
    Descriptor: { mediaType, digest, size },
    Platforms: platforms.map(({ architecture, os, variant }) => ({ architecture, os, ...(variant !== undefined && { variant }) })),
  });
}
