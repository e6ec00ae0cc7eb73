import { imageRoutes } from './image-routes.ts';
import { registryRoutes } from './registry-routes.ts';
import { refusedRoutes } from './refused-routes.ts';
import type { DockerRoute } from './route.ts';
import { systemRoutes } from './system-routes.ts';
import { transferRoutes } from './transfer-routes.ts';

/** Every operation of the Docker Engine API that is answered otherwise than with "page not found". */
export const dockerRoutes: readonly DockerRoute[] = [...systemRoutes, ...imageRoutes, ...transferRoutes, ...registryRoutes, ...refusedRoutes];
