import { posix } from 'node:path';
import type { Field } from '../../translate/field.ts';
import { FieldError } from '../../translate/problem-list.ts';
import { fieldsAmong, integerOf, isMap, itemsOf, textOf } from '../../translate/read-field.ts';
import { CONFIG_WORD, type ConfigSection } from '../configs.ts';
import { put, type Service } from './handler.ts';

const HOMES = { configs: '/', secrets: '/run/secrets/' } as const;

/** Configs and secrets of a service: each a file of its own, for all to read unless it is said otherwise. */
export function fileMounts(field: Field, section: ConfigSection, service: Service): void {
  const { project } = service;
  for (const item of itemsOf(field)) {
    const given = isMap(item) ? fieldsAmong(item, ['source', 'target', 'uid', 'gid', 'mode']) : { source: item };
    if (given.source === undefined) throw new FieldError(item, 'has no source', `name a ${CONFIG_WORD[section]} of this file`);
    const name = textOf(given.source);
    const config = project[section].get(name);
    if (config === undefined) throw new FieldError(given.source, `there is no ${CONFIG_WORD[section]} ${name} in this file`, `declare it below ${section}`);
    const target = given.target === undefined ? name : textOf(given.target);
    const mountPath = target.startsWith('/') ? posix.resolve(target) : `${HOMES[section]}${target}`;
    const file = posix.basename(mountPath);
    const shown = {
      name: config.name,
      items: [{ key: config.key, path: file }],
      subPath: file,
      defaultMode: given.mode === undefined ? '0444' : modeOf(given.mode),
      ...(given.uid !== undefined && { uid: integerOf(given.uid) }),
      ...(given.gid !== undefined && { gid: integerOf(given.gid) }),
    };
    put(service, { mounts: [{ mountPath, readOnly: true, ...(section === 'configs' ? { configMap: shown } : { secret: shown }) }] }, item);
  }
}

function modeOf(field: Field): string {
  if (typeof field.value !== 'string') throw new FieldError(field, 'is a number, of which nobody sees whether it is octal', 'write it in octal and in quotes: "0440"');
  return field.value;
}
