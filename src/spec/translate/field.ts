import type { LineIndex } from '../line-index.ts';
import { fieldPath, isMapping, type Path } from '../schema-walk.ts';
import type { YamlTree } from '../yaml-tree.ts';

/** One text that fields were read from. */
export interface SourceFile {
  /** As problems name it. */
  readonly name: string;
  /** Absolute; where relative paths in it begin. */
  readonly folder: string;
  readonly lines: LineIndex;
}

export type Scalar = string | number | boolean | null;
export type FieldValue = Scalar | readonly Field[] | ReadonlyMap<string, Field>;
export type MappingField = Field<ReadonlyMap<string, Field>>;
export type ListField = Field<readonly Field[]>;

/** One value of a document in another format than ours, and where it stands. Mappings and lists hold fields again. Immutable. */
export class Field<Value extends FieldValue = FieldValue> {
  readonly value: Value;
  readonly source: SourceFile;
  readonly path: Path;
  /** Of the value, in characters from the text's begin. */
  readonly offset: number;
  /** Of the key before it; the value's own where there is none. */
  readonly keyOffset: number;

  constructor(value: Value, place: Pick<Field, 'source' | 'path' | 'offset' | 'keyOffset'>) {
    this.value = value;
    this.source = place.source;
    this.path = place.path;
    this.offset = place.offset;
    this.keyOffset = place.keyOffset;
  }

  /** `file:line:column`. */
  get at(): string {
    return this.source.lines.at(this.source.name, this.offset);
  }

  get keyAt(): string {
    return this.source.lines.at(this.source.name, this.keyOffset);
  }

  /** `services.web.ports[0]`. */
  get name(): string {
    return fieldPath(this.path);
  }

  /** The same place with another value. */
  with<Other extends FieldValue>(value: Other): Field<Other> {
    return new Field(value, this);
  }

  /** A field of a mapping; undefined where there is none, or no mapping. A null counts as left out. */
  get(key: string): Field | undefined {
    const field = this.value instanceof Map ? (this.value as ReadonlyMap<string, Field>).get(key) : undefined;
    return field?.value === null ? undefined : field;
  }
}

/** A document as fields. */
export function fieldOf(tree: YamlTree, source: SourceFile): Field {
  return fieldAt(tree, source, tree.value, []);
}

/** The field of a value of a document that is reached by a path. */
export function fieldAt(tree: YamlTree, source: SourceFile, value: unknown, path: Path): Field {
  const place = { source, path, offset: tree.offsetOf(path, false), keyOffset: tree.offsetOf(path, true) };
  if (Array.isArray(value)) return new Field(value.map((item, index) => fieldAt(tree, source, item, [...path, index])), place);
  if (isMapping(value)) return new Field(new Map(Object.entries(value).map(([key, item]) => [key, fieldAt(tree, source, item, [...path, key])])), place);
  return new Field(typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? value : null, place);
}
