import { parsePlatform } from '../../engine/images/platform.ts';
import { fetchUrl } from '../../engine/images/fetch-url.ts';
import type { BuildRequest } from '../../engine/builds.ts';
import { DockerError } from './error-reply.ts';
import { joinReference, parsed } from './image-names.ts';
import type { Query } from './query.ts';

const NETWORKS: Readonly<Record<string, BuildRequest['network']>> = { '': 'Bridge', default: 'Bridge', bridge: 'Bridge', host: 'Host', none: 'None' };
/** Limits of the containers that a build runs commands in. Mooring's have the node's. */
const LIMITS = ['memory', 'memswap', 'cpushares', 'cpuperiod', 'cpuquota', 'shmsize'] as const;
const GIT = /^(git:\/\/|git@|(https?|file):\/\/.*\.git([#?].*)?$)/;

/** What the query of a build asks for. `body` is the context, unless the query names a remote one. Throws for what Mooring's builds don't have, naming it. */
export function buildRequest(query: Query, body: AsyncIterable<Buffer>, signal: AbortSignal): BuildRequest {
  refuse(query);
  const [target, platform] = [query.text('target'), query.text('platform')];
  const network = NETWORKS[query.text('networkmode') ?? ''];
  if (network === undefined) throw new DockerError(501, `Mooring's builds have the networks default, host and none, not ${JSON.stringify(query.text('networkmode'))}.`);
  const tags = query.all('t').filter((tag) => tag !== '');
  for (const tag of tags) parsed(tag);
  return {
    context: contextOf(query.text('remote'), body, signal),
    dockerfile: { kind: 'context', path: query.text('dockerfile') ?? 'Dockerfile' },
    tags: tags.map((tag) => joinReference(tag, undefined)),
    buildArguments: definedIn(query, 'buildargs'),
    labels: definedIn(query, 'labels'),
    noCache: query.flag('nocache'),
    pull: query.flag('pull'),
    network,
    addHosts: query.all('extrahosts').flatMap((hosts) => (hosts === '' ? [] : hosts.split(','))),
    secrets: new Map(),
    ssh: new Map(),
    outputs: [],
    ...(target !== undefined && { target }),
    ...(platform !== undefined && { platform: parsePlatform(platform) }),
  };
}

/** A map of the query without what has no value. */
export function definedIn(query: Query, name: string): ReadonlyMap<string, string> {
  return new Map([...query.map(name)].flatMap(([key, value]) => (value === null ? [] : [[key, value] as const])));
}

function contextOf(remote: string | undefined, body: AsyncIterable<Buffer>, signal: AbortSignal): BuildRequest['context'] {
  if (remote === undefined || remote === 'client-session') return { kind: 'archive', content: body };
  if (GIT.test(remote)) return { kind: 'git', address: remote };
  if (/^https?:\/\//.test(remote)) return { kind: 'archive', content: fetchUrl(remote, signal) };
  return { kind: 'git', address: remote };
}

function refuse(query: Query): void {
  if (query.text('version') === '2' || query.text('session') !== undefined) throw new DockerError(501, 'Mooring builds without BuildKit sessions: build with DOCKER_BUILDKIT=0, or with "mooring build".');
  if (query.flag('squash')) throw new DockerError(501, "Mooring's builds don't squash layers: leave --squash out.");
  for (const limit of LIMITS) if ((query.number(limit) ?? 0) !== 0) throw new DockerError(501, `Mooring's builds have no limits of their own: leave ${limit} out.`);
  for (const name of ['cpusetcpus', 'cpusetmems', 'cgroupparent'] as const) if (query.text(name) !== undefined) throw new DockerError(501, `Mooring's builds have no limits of their own: leave ${name} out.`);
  if (!['', '[]', 'null'].includes(query.text('ulimits') ?? '')) throw new DockerError(501, "Mooring's builds have no limits of their own: leave ulimits out.");
  if (query.all('securityopt').some((option) => option !== '' && option !== '[]' && option !== 'null')) throw new DockerError(501, "Mooring's builds run as confined as containers: leave securityopt out.");
  if (!['', '[]', 'null'].includes(query.text('outputs') ?? '')) throw new DockerError(501, 'outputs are of BuildKit: use "mooring build --output".');
}
