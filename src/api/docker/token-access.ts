import { covers, type Grant } from '../tokens.ts';
import type { TokenVerb } from '../v1/token-types.ts';
import { type Containers, findContainer, localNameOf } from './container-lookup.ts';
import type { DockerCall } from './call.ts';
import type { DockerServices } from './docker-services.ts';
import { DockerError } from './error-reply.ts';
import { execsOf } from './exec-registry.ts';
import type { DockerRoute } from './route.ts';

/** Whom an operation is for: every bearer of a token; who may do that with some container, each seeing its own; who may do it with the one that is asked for. */
type Access = 'anyone' | { readonly verb: TokenVerb; readonly of: 'list' | 'container' | 'exec' };

const [read, exec, write] = (['read', 'exec', 'write'] as const).map((verb): Access => ({ verb, of: 'container' })) as [Access, Access, Access];
const added: Access = { verb: 'exec', of: 'exec' };

/**
 * What tokens can be for. Anything else is nobody's who bears one: to make a container, or to change what it may do, is to be root on the node, and images,
 * networks, volumes and the node's own facts belong to no container.
 */
export const TOKEN_ACCESS: Readonly<Record<string, Access>> = {
  'GET /_ping': 'anyone',
  'HEAD /_ping': 'anyone',
  'GET /version': 'anyone',
  'GET /containers/json': { verb: 'read', of: 'list' },
  'GET /containers/:id/json': read,
  'GET /containers/:id/top': read,
  'GET /containers/:id/logs': read,
  'GET /containers/:id/stats': read,
  'GET /containers/:id/changes': read,
  'POST /containers/:id/wait': read,
  'POST /containers/:id/exec': exec,
  'POST /exec/:id/start': added,
  'POST /exec/:id/resize': added,
  'GET /exec/:id/json': added,
  'POST /containers/:id/attach': exec,
  'GET /containers/:id/attach/ws': exec,
  'POST /containers/:id/resize': exec,
  'GET /containers/:id/export': exec,
  'HEAD /containers/:id/archive': exec,
  'GET /containers/:id/archive': exec,
  'PUT /containers/:id/archive': exec,
  'POST /containers/:id/start': write,
  'POST /containers/:id/stop': write,
  'POST /containers/:id/restart': write,
  'POST /containers/:id/kill': write,
  'POST /containers/:id/pause': write,
  'POST /containers/:id/unpause': write,
  'DELETE /containers/:id': write,
};

/** The containers that a token is for. */
export function grantedContainers(grant: Grant, { reconciler }: Containers): Containers {
  return { reconciler: { views: () => reconciler.views().filter(({ container }) => covers(grant, localNameOf(container), container.metadata.namespace)) } };
}

/**
 * The request as it may go on: a container that it names is named by its full id, so that what is acted on is what was looked at here. Throws 403, naming the
 * verb and the object, whether that is there or not.
 */
export function granted(call: DockerCall, grant: Grant, route: Pick<DockerRoute, 'method' | 'path'>, services: DockerServices): DockerCall {
  const access = TOKEN_ACCESS[`${route.method} ${route.path}`];
  if (access === undefined) throw new DockerError(403, `token ${grant.name} may not ${route.method} ${route.path}: tokens are for containers that are there, to read, exec and write`);
  if (access === 'anyone') return call;
  const { verb, of } = access;
  const reference = call.params['id'] ?? '';
  if (of === 'list') {
    if (grant.verbs.includes(verb)) return call;
    throw new DockerError(403, `token ${grant.name} may not ${verb} containers: ${words(grant)}`);
  }
  const refusal = new DockerError(403, `token ${grant.name} may not ${verb} ${of === 'exec' ? 'exec instance' : 'container'} ${reference}: ${words(grant)}`);
  if (!grant.verbs.includes(verb)) throw refusal;
  const mine = grantedContainers(grant, services);
  if (of === 'exec') {
    const containerId = containerOfExec(services, reference);
    if (!mine.reconciler.views().some(({ status }) => status.containerID !== undefined && status.containerID === containerId)) throw refusal;
    return call;
  }
  try {
    return { ...call, params: { ...call.params, id: findContainer(mine, reference).id } };
  } catch (error) {
    if (!(error instanceof DockerError)) throw error;
    // One that is not there, but would be this token's, is told as such; so is a beginning of several ids of its own.
    const name = reference.replace(/^\//, '');
    if (error.status !== 404 || grant.namespaces.some((namespace) => isOwnName(grant, name, namespace))) throw error;
    throw refusal;
  }
}

function isOwnName(grant: Grant, name: string, namespace: string): boolean {
  const prefix = namespace === 'default' ? '' : `${namespace}.`;
  return name.startsWith(prefix) && covers(grant, name.slice(prefix.length), namespace);
}

function containerOfExec(services: DockerServices, id: string): string | undefined {
  try {
    return execsOf(services).get(id).containerId;
  } catch (error) {
    if (error instanceof DockerError) return undefined;
    throw error;
  }
}

function words({ verbs, containers, namespaces }: Grant): string {
  return `it may ${verbs.join(', ')} containers ${containers.join(', ')} of namespace ${namespaces.join(', ')}`;
}
