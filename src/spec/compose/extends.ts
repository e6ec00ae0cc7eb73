import type { Field } from '../translate/field.ts';
import { FieldError, type ProblemList } from '../translate/problem-list.ts';
import { entriesOf, fieldsAmong, isMap, textOf } from '../translate/read-field.ts';
import { mergedFields } from './merge.ts';
import { absolutePath } from './service/handler.ts';

/** Reads another compose file, with its variables replaced; undefined where that is not to be had, which is among the problems then. */
export type ReadOther = (path: string, by: Field) => Promise<Field | undefined>;

/** More would be a mistake. */
const MOST = 32;

/** A service with what it `extends` below it. What is wrong is among the problems. */
export async function extended(name: string, service: Field, root: Field, readOther: ReadOther, problems: ProblemList, way: readonly string[] = []): Promise<Field> {
  const reference = service.get('extends');
  if (reference === undefined) return service;
  const own = withoutExtends(service);
  const target = problems.attempt(reference, () => {
    const given = isMap(reference) ? fieldsAmong(reference, ['service', 'file']) : { service: reference };
    if (given.service === undefined) throw new FieldError(reference, 'names no service');
    return { service: textOf(given.service), by: given.service, file: given.file === undefined ? undefined : { by: given.file, path: absolutePath(given.file, textOf(given.file)) } };
  });
  if (target === undefined) return own;
  const here = [...way, `${name} of ${service.source.name}`];
  const other = target.file === undefined ? root : await readOther(target.file.path, target.file.by);
  if (other === undefined) return own;
  const base = other.get('services')?.get(target.service);
  if (base === undefined) {
    problems.fault(target.by, `there is no service ${target.service} in ${other.source.name}`);
    return own;
  }
  const step = `${target.service} of ${base.source.name}`;
  if (here.includes(step) || here.length > MOST) {
    problems.fault(reference, `extends itself: ${[...here, step].join(' → ')}`, 'break the circle');
    return own;
  }
  return mergedFields(await extended(target.service, base, other, readOther, problems, here), own);
}

function withoutExtends(service: Field): Field {
  return service.with(new Map(entriesOf(service).filter(([key]) => key !== 'extends')));
}
