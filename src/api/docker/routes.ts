import { buildRoutes } from './build-routes.ts';
import { commitRoutes } from './commit-route.ts';
import { containerRoutes } from './container-routes.ts';
import { execRoutes } from './exec-routes.ts';
import { diskRoutes } from './disk-routes.ts';
import { eventRoutes } from './event-routes.ts';
import { imageRoutes } from './image-routes.ts';
import { networkRoutes } from './network-routes.ts';
import { registryRoutes } from './registry-routes.ts';
import { refusedRoutes } from './refused-routes.ts';
import type { DockerRoute } from './route.ts';
import { systemRoutes } from './system-routes.ts';
import { transferRoutes } from './transfer-routes.ts';
import { volumeRoutes } from './volume-routes.ts';

/** Every operation of the Docker Engine API that is answered otherwise than with "page not found". */
export const dockerRoutes: readonly DockerRoute[] = [...systemRoutes, ...diskRoutes, ...eventRoutes, ...containerRoutes, ...execRoutes, ...imageRoutes, ...buildRoutes, ...transferRoutes, ...registryRoutes, ...commitRoutes, ...networkRoutes, ...volumeRoutes, ...refusedRoutes];
