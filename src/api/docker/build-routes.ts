import { MooringError } from '../../lib/errors.ts';
import { sendJson } from '../reply.ts';
import { takeBody } from '../request-body.ts';
import { Telling } from '../telling.ts';
import { buildRequest, definedIn } from './build-query.ts';
import { BuildLines, commandFailure } from './build-lines.ts';
import type { DockerCall } from './call.ts';
import type { DockerServices } from './docker-services.ts';
import { DockerError, errorReply } from './error-reply.ts';
import { instantOf } from './image-lookup.ts';
import { familiarName, keepingUntagged, sought } from './image-names.ts';
import { sendObjects, streamFailure, type StreamFailure } from './json-stream.ts';
import { credentialsOfBuild } from './registry-auth.ts';
import type { DockerRoute } from './route.ts';

export const buildRoutes: readonly DockerRoute[] = [
  { method: 'POST', path: '/build', handle: build },
  { method: 'POST', path: '/build/prune', handle: prune },
  { method: 'POST', path: '/build/cancel', handle: cancel },
];

type Line = { readonly stream: string } | { readonly aux: { readonly ID: string } } | StreamFailure;

async function build(call: DockerCall, { builds, images, told }: DockerServices): Promise<void> {
  const quiet = call.query.flag('q');
  const credentials = credentialsOfBuild(call);
  const lines = new Telling<Line>();
  const say = (line: Line): void => lines.put(line, line);
  const steps = new BuildLines((stream) => {
    if (!quiet) say({ stream });
  }, definedIn(call.query, 'labels'));
  const work = takeBody(call, async (body) => {
    const request = buildRequest(call.query, body, call.signal);
    try {
      const { imageId } = await keepingUntagged(images, request.tags, () => builds.build(request, { signal: call.signal, onProgress: (event) => steps.take(event), ...(credentials && { credentials }) }));
      steps.finish();
      if (quiet) return say({ stream: `${imageId}\n` });
      say({ aux: { ID: imageId } });
      say({ stream: `Successfully built ${imageId.slice('sha256:'.length, 'sha256:'.length + 12)}\n` });
      for (const tag of request.tags) {
        say({ stream: `Successfully tagged ${familiarName(sought(tag))}\n` });
        told.image('tag', imageId, sought(tag));
      }
    } catch (error) {
      const failure = steps.failed && commandFailure(steps.failed);
      if (failure !== undefined) return say(streamFailure(failure.message, failure.code));
      if (steps.failed === undefined) throw asDockerfile(error);
      say(streamFailure(errorReply(error).body.message));
    }
  });
  await sendObjects(call, lines.during(work));
}

/** What is wrong with the Dockerfile is told before anything is built. */
function asDockerfile(error: unknown): unknown {
  if (!(error instanceof MooringError) || error.code !== 'Invalid' || error.at === undefined) return error;
  return new DockerError(400, `dockerfile parse error on ${error.at}: ${errorReply(error).body.message}`, { cause: error });
}

const PRUNE_FILTERS = ['until', 'id', 'parent', 'type', 'description', 'inuse', 'shared', 'private', 'unused-for'] as const;

async function prune(call: DockerCall, { builds, images, told }: DockerServices): Promise<void> {
  const filters = call.query.filters(PRUNE_FILTERS);
  for (const name of PRUNE_FILTERS) if (name !== 'until' && name !== 'unused-for' && filters.has(name)) throw new DockerError(501, `Mooring's cache of builds is one thing: it can't be pruned by ${JSON.stringify(name)}.`);
  const [span] = [...filters.values('until'), ...filters.values('unused-for')];
  const instant = span === undefined ? Date.now() : instantOf(span);
  if (instant === undefined) throw new DockerError(400, `"until" filter expects a duration (e.g., '24h') or a timestamp, not ${JSON.stringify(span)}`);
  const { steps } = await builds.pruneCache({ dryRun: false, unusedFor: Math.max(0, Date.now() - instant) });
  const { bytes } = await images.prune({ all: false, dryRun: false });
  told.prune('builder', bytes);
  sendJson(call, { CachesDeleted: steps === 0 ? null : ['mooring'], SpaceReclaimed: bytes });
}

/** A classic build ends with its client's connection. */
function cancel(): void {
  throw new DockerError(501, 'Mooring has no builds by id: one ends when its client hangs up.');
}
