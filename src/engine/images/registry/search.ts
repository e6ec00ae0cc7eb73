import { z } from 'zod';

import { MooringError } from '../../../lib/errors.ts';
import type { RegistryHit } from '../../images.ts';
import { boundedBody, headerOf, RegistrySession } from './registry-session.ts';
import type { RegistrySettings } from './registry-settings.ts';

const MAX_ANSWER_BYTES = 4 * 2 ** 20;
/** Of a catalog, which has no order of worth and no end that is told. */
const MAX_PAGES = 50;
const PAGE_SIZE = 1000;

const searchSchema = z.object({ results: z.array(z.object({ name: z.string(), description: z.string().nullish(), star_count: z.int().nullish(), is_official: z.boolean().nullish() })) });
const catalogSchema = z.object({ repositories: z.array(z.string()).nullable() });

export interface SearchOptions {
  readonly limit: number;
  readonly settings: RegistrySettings;
  readonly signal: AbortSignal | undefined;
}

/**
 * Repositories whose name or description has the term. There is no standard: Docker Hub has an index with a search of its own, and other
 * registries at most a catalog of all they have, which is then searched by name. `Unsupported` where there is neither.
 */
export async function searchRegistry(registry: string, term: string, { limit, settings, signal }: SearchOptions): Promise<RegistryHit[]> {
  const host = registry === 'docker.io' ? 'index.docker.io' : registry;
  const logins = { ...settings, credentials: () => settings.credentials(registry) };
  await using session = await RegistrySession.open(host, ['registry:catalog:*'], logins, signal);
  return (await askIndex(session, term, limit)) ?? (await askCatalog(session, term, limit, registry));
}

async function askIndex(session: RegistrySession, term: string, limit: number): Promise<RegistryHit[] | undefined> {
  const response = await session.send({ url: `/v1/search?${new URLSearchParams({ q: term, n: String(limit) }).toString()}`, accept: [200, 404, 400, 405], what: 'a search' });
  if (response.statusCode !== 200) {
    await response.body.dump();
    return undefined;
  }
  const { success, data } = searchSchema.safeParse(tryJson(await boundedBody(response, MAX_ANSWER_BYTES, 'the answer')));
  if (!success) return undefined;
  return data.results.slice(0, limit).map(({ name, description, star_count, is_official }) => ({ name, description: description ?? '', stars: star_count ?? null, official: is_official === true }));
}

async function askCatalog(session: RegistrySession, term: string, limit: number, registry: string): Promise<RegistryHit[]> {
  const found: RegistryHit[] = [];
  let url = `/v2/_catalog?n=${PAGE_SIZE}`;
  for (let page = 0; page < MAX_PAGES && found.length < limit; page++) {
    const response = await session.send({ url, accept: [200, 404, 405], what: 'its catalog' });
    if (response.statusCode !== 200) {
      await response.body.dump();
      throw new MooringError('Unsupported', `registry ${registry} offers neither a search nor a catalog`, { fix: 'look for the image on its web pages' });
    }
    const { success, data } = catalogSchema.safeParse(tryJson(await boundedBody(response, MAX_ANSWER_BYTES, 'the catalog')));
    if (!success) throw new MooringError('Unsupported', `the catalog of registry ${registry} is not understood`);
    for (const name of data.repositories ?? []) if (name.includes(term)) found.push({ name: `${registry}/${name}`, description: '', stars: null, official: false });
    const next = nextOf(headerOf(response, 'link'));
    if (next === undefined) break;
    url = next;
  }
  return found.slice(0, limit);
}

/** `</v2/_catalog?last=x&n=1000>; rel="next"` (distribution, "Catalog"), within the registry only. */
function nextOf(link: string | undefined): string | undefined {
  const target = /^<([^>]+)>;.*rel="?next"?/.exec(link ?? '')?.[1];
  if (target === undefined) return undefined;
  const { pathname, search } = new URL(target, 'http://registry');
  return `${pathname}${search}`;
}

function tryJson(content: Buffer): unknown {
  try {
    return JSON.parse(content.toString());
  } catch {
    return undefined; // the schema refuses it
  }
}
