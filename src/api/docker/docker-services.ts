import type { ApiServices } from '../v1/services.ts';
import type { DockerEvents } from './docker-events.ts';

/** What the Docker API stands on: the services of every face, and what its own events are told by. */
export interface DockerServices extends ApiServices {
  readonly told: DockerEvents;
}
