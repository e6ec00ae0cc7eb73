import type { DockerServices } from './docker-services.ts';
import type { DockerCall } from './call.ts';

/** One operation of the Docker Engine API. */
export interface DockerRoute {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'DELETE';
  /** Without the version: `/containers/:id/json`. The name of an image is one parameter, whatever slashes it has. */
  readonly path: string;
  readonly handle: (call: DockerCall, services: DockerServices) => Promise<void> | void;
}
