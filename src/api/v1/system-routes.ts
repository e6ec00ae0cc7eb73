import type { SystemUsage } from '../../engine/system-usage.ts';
import { sendJson } from '../reply.ts';
import { isAsked } from './call.ts';
import type { Route } from './routes.ts';
import type { SystemPruneResult, SystemUsageReply } from './system-types.ts';

/** What concerns the node's disk as a whole. */
export const systemRoutes: readonly Route[] = [
  { method: 'GET', path: '/v1/system/df', handle: async (call, { disk }) => sendJson(call, { kind: 'SystemUsage', ...(await disk()) } satisfies SystemUsageReply) },
  {
    method: 'POST',
    path: '/v1/system/prune',
    handle: async (call, { images, builds, disk }) => {
      const options = { all: isAsked(call.query, 'all'), dryRun: isAsked(call.query, 'dryRun') };
      const before = options.dryRun ? undefined : totalOf(await disk());
      // The cache first: it holds layers that are then nobody's.
      const cache = await builds.pruneCache({ dryRun: options.dryRun });
      const stored = await images.prune(options);
      const bytes = before === undefined ? stored.bytes + cache.bytes : Math.max(0, before - totalOf(await disk()));
      sendJson(call, { kind: 'SystemPruneResult', names: stored.names, blobs: stored.blobs.length, layers: stored.layers.length, steps: cache.steps, bytes } satisfies SystemPruneResult);
    },
  },
];

function totalOf({ rows }: SystemUsage): number {
  return rows.reduce((sum, { bytes }) => sum + bytes, 0);
}
