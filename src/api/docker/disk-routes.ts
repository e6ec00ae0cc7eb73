import { sendJson } from '../reply.ts';
import { diskUsage } from './disk-usage.ts';
import type { DockerRoute } from './route.ts';

export const diskRoutes: readonly DockerRoute[] = [{ method: 'GET', path: '/system/df', handle: async (call, services) => sendJson(call, await diskUsage(services)) }];
