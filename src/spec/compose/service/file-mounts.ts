import type { Field } from '../../translate/field.ts';
import { FieldError } from '../../translate/problem-list.ts';
import { fieldsAmong, isMap, itemsOf, textOf } from '../../translate/read-field.ts';
import { absolutePath, put, type Service } from './handler.ts';

const HOMES = { configs: '/', secrets: '/run/secrets/' } as const;
const WHAT = { configs: 'config', secrets: 'secret' } as const;

/** Configs and secrets that are files of the node, shown read-only; changing the file changes what the container reads. */
export function fileMounts(field: Field, kind: 'configs' | 'secrets', service: Service): void {
  for (const item of itemsOf(field)) {
    const given = isMap(item) ? fieldsAmong(item, ['source', 'target', 'uid', 'gid', 'mode']) : { source: item };
    if (given.source === undefined) throw new FieldError(item, 'has no source', `name a ${WHAT[kind]} of this file`);
    for (const owner of [given.uid, given.gid, given.mode]) {
      if (owner !== undefined) throw new FieldError(owner, 'a file that is mounted keeps its own owner and mode', 'leave it out, and set them on the file', true);
    }
    const name = textOf(given.source);
    const target = given.target === undefined ? name : textOf(given.target);
    const mountPath = target.startsWith('/') ? target : `${HOMES[kind]}${target}`;
    put(service, { mounts: [{ mountPath, readOnly: true, bind: { source: sourceOf(name, given.source, kind, service) } }] }, item);
  }
}

function sourceOf(name: string, by: Field, kind: 'configs' | 'secrets', { project }: Service): string {
  const declared = project[kind].get(name);
  if (declared === undefined) throw new FieldError(by, `there is no ${WHAT[kind]} ${name} in this file`, `declare it below ${kind}`);
  const { file, external, environment, content, template_driver: template } = fieldsAmong(declared, ['file', 'external', 'name', 'environment', 'content', 'template_driver', 'labels']);
  for (const other of [external, environment, content, template]) {
    if (other !== undefined) throw new FieldError(other, `a ${WHAT[kind]} is a file of the node here`, 'write file: ./path', true);
  }
  if (file === undefined) throw new FieldError(declared, 'has no file', 'write file: ./path');
  return absolutePath(file, textOf(file));
}
