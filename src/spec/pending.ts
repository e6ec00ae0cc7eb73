import type { FieldFault } from './field-fault.ts';
import type { Resource } from './resource.ts';
import { type Path, valueAt } from './schema-walk.ts';

/** What the schemas have and the engine can't do: refused, so that nothing is accepted and then ignored. Whoever makes it work takes its line out. */
const PENDING: readonly { readonly kind: Resource['kind']; readonly path: Path; readonly given: (value: unknown) => boolean }[] = [
  { kind: 'Container', path: ['spec', 'mounts'], given: anyItem('idmap', (idmap) => idmap !== 'None') }, // n1
];

export function pendingFaults(resource: Resource): FieldFault[] {
  return PENDING.filter(({ kind, path, given }) => kind === resource.kind && given(valueAt(resource, path))).map(({ path }) => ({
    path,
    onKey: false,
    message: 'asks for something that this version of Mooring can not do',
    fix: 'leave it out',
  }));
}

function anyItem(field: string, given: (value: unknown) => boolean): (items: unknown) => boolean {
  return (items) => Array.isArray(items) && items.some((item) => given(valueAt(item, [field])));
}
