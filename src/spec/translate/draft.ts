import type { z } from 'zod';
import { API_VERSION, type containerSpecSchema } from '../container.ts';
import type { ParsedDocument } from '../parsed.ts';
import { resourceName, type ResourceKind } from '../resource.ts';
import { fieldPath, isMapping, type Path } from '../schema-walk.ts';
import { validate } from '../validate.ts';
import type { Field } from './field.ts';
import type { ProblemList } from './problem-list.ts';

export type ContainerSpecInput = z.input<typeof containerSpecSchema>;

export interface DraftMetadata {
  readonly name: string;
  readonly namespace?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** A document of ours on its way: remembers which field of the other format each of its fields comes from. */
export class Draft<Spec extends object> {
  readonly #spec: Record<string, unknown> = {};
  readonly #origins = new Map<string, Field>();

  /** Adds to the spec: mappings field by field, lists behind what they hold already, all else in place of what was there. */
  set(part: Spec, origin: Field): void {
    this.#merge(this.#spec, part, [], origin);
  }

  get spec(): Spec {
    return this.#spec as Spec;
  }

  /** The document, if the spec is good; else its problems, told at the fields that they come from, or at `whole`. */
  document(kind: ResourceKind, metadata: DraftMetadata, whole: Field, problems: ProblemList): ParsedDocument | undefined {
    const result = validate({ apiVersion: API_VERSION, kind, metadata, spec: this.#spec });
    if ('resource' in result) {
      // By its location a resource is known to be of this file, also where another one says more of it.
      const at = whole.source.name === problems.file ? whole.keyAt : `${problems.file}:1:1`;
      return { resource: result.resource, file: problems.file, at, name: resourceName(result.resource) };
    }
    for (const { path, message, fix } of result.faults) {
      const { field, rest } = this.#originOf(path, whole);
      const where = rest.filter((step) => step !== field.path.at(-1));
      problems.fault(field, where.length === 0 ? message : `${fieldPath(where)}: ${message}`, fix);
    }
    return undefined;
  }

  #originOf(path: Path, whole: Field): { readonly field: Field; readonly rest: Path } {
    const below = path[0] === 'spec' ? path.slice(1) : [];
    for (let length = below.length; length > 0; length--) {
      const field = this.#origins.get(JSON.stringify(below.slice(0, length)));
      if (field !== undefined) return { field, rest: below.slice(length) };
    }
    return { field: whole, rest: path };
  }

  #merge(target: Record<string, unknown>, part: object, path: Path, origin: Field): void {
    for (const [key, value] of Object.entries(part)) {
      if (value === undefined) continue;
      const at = [...path, key];
      const present = target[key];
      if (Array.isArray(value)) {
        const before = Array.isArray(present) ? present : [];
        for (const index of value.keys()) this.#origins.set(JSON.stringify([...at, before.length + index]), origin);
        target[key] = [...before, ...value];
      } else if (isMapping(value)) {
        const below = isMapping(present) ? present : {};
        target[key] = below;
        this.#merge(below, value, at, origin);
      } else target[key] = value;
      if (!this.#origins.has(JSON.stringify(at)) || !(Array.isArray(value) || isMapping(value))) this.#origins.set(JSON.stringify(at), origin);
    }
  }
}
