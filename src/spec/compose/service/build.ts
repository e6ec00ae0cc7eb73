import type { ContainerSpecInput } from '../../translate/draft.ts';
import type { Field } from '../../translate/field.ts';
import { FieldError } from '../../translate/problem-list.ts';
import { entriesOf, fieldsAmong, textOf } from '../../translate/read-field.ts';
import { asMapping } from '../merge.ts';
import { absolutePath, put, type Service } from './handler.ts';

const BUILD = ['context', 'dockerfile', 'args', 'target', 'cache_from', 'cache_to', 'no_cache', 'pull'] as const;
const REFUSED = {
  labels: 'write LABEL in the Dockerfile',
  tags: 'name the image by image',
  dockerfile_inline: 'write it to a file and name that by dockerfile',
  ...Object.fromEntries(
    ['additional_contexts', 'ssh', 'secrets', 'network', 'shm_size', 'extra_hosts', 'platforms', 'privileged', 'isolation', 'ulimits', 'entitlements', 'provenance', 'sbom'].map((name) => [name, 'leave it out']),
  ),
};

/** An image that is built on the node. Without an image's name it has one of its own. */
export function buildOf(field: Field, service: Service): void {
  const given = fieldsAmong(withoutUnheard(field, service), BUILD);
  if (given.context === undefined) throw new FieldError(field, 'has no context', 'give a folder with the files of the build');
  const context = textOf(given.context);
  if (/^[a-z+]+:\/\/|^git@/.test(context)) throw new FieldError(given.context, 'is not a folder of the node', 'check it out beside this file');
  const args = given.args === undefined ? [] : entriesOf(asMapping(given.args, 'args'));
  const values = args.flatMap(([name, value]) => {
    const argument = value.value === null ? service.project.lookup(name) : textOf(value);
    return argument === undefined ? [] : [{ name, value: argument }];
  });
  const build: NonNullable<ContainerSpecInput['build']> = {
    context: absolutePath(given.context, context),
    ...(given.dockerfile !== undefined && { dockerfile: textOf(given.dockerfile) }),
    ...(given.target !== undefined && { target: textOf(given.target) }),
    args: values,
  };
  put(service, { build, ...(service.field.get('image') === undefined && { image: `mooring.local/${service.project.name}-${service.name}:latest`.toLowerCase() }) }, field);
}

/** What else a build can be told is refused; where it only hastens the build, it is told of. */
function withoutUnheard(field: Field, { project }: Service): Field {
  for (const name of ['cache_from', 'cache_to', 'no_cache', 'pull'] as const) {
    const hint = field.get(name);
    if (hint !== undefined) project.problems.warn(hint, "builds go by the node's own cache");
  }
  for (const [name, fix] of Object.entries(REFUSED)) {
    const other = field.get(name);
    if (other !== undefined) throw new FieldError(other, 'is not supported', fix, true);
  }
  return field;
}
