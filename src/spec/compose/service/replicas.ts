import type { Field } from '../../translate/field.ts';
import { FieldError } from '../../translate/problem-list.ts';
import { integerOf, textOf } from '../../translate/read-field.ts';
import { resourceNameOf } from '../names.ts';
import type { Project } from '../project.ts';

/** More of one service would be a mistake on one node. */
const MOST = 1000;

/** How many containers a service has. */
export function replicasOf(service: Field): number {
  const field = service.get('deploy')?.get('replicas') ?? service.get('scale');
  if (field === undefined) return 1;
  const count = integerOf(field);
  if (count < 0 || count > MOST) throw new FieldError(field, `is ${count}`, `give a number from 0 to ${MOST}`);
  return count;
}

/** The names that compose gives a service's containers: `container_name`, or project, service and number. */
export function dockerNamesOf(name: string, service: Field, project: string): string[] {
  const given = service.get('container_name');
  const count = replicasOf(service);
  if (given === undefined) return Array.from({ length: count }, (_, index) => `${project}-${name}-${index + 1}`);
  if (count > 1) throw new FieldError(given, `one name for ${count} containers`, 'leave it out, or have one replica');
  return count === 0 ? [] : [textOf(given)];
}

/** `metadata.name` of the containers of a service that another field names. */
export function containersOf(name: string, by: Field, { services, inactive, name: project }: Project): string[] {
  const service = services.get(name);
  if (service !== undefined) return dockerNamesOf(name, service, project).map(resourceNameOf);
  if (inactive.has(name)) throw new FieldError(by, `service ${name} is left out by its profiles`, 'name one of them in COMPOSE_PROFILES, in .env');
  throw new FieldError(by, `there is no service ${name} in this file`);
}
