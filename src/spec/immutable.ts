import type { CelRule } from './check.ts';

/** Rules that let the fields of a spec be set when it is made, and never be changed. */
export function immutable(fields: readonly string[]): CelRule[] {
  return fields.map((field) => ({
    rule: `has(self.${field}) == has(oldSelf.${field}) && (!has(self.${field}) || self.${field} == oldSelf.${field})`,
    message: `${field} can not be changed`,
  }));
}
