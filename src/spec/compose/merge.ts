import type { Field, MappingField } from '../translate/field.ts';
import { isList, isMap, textOf } from '../translate/read-field.ts';

/** Lists of `NAME=value` that can also be written as a mapping. */
const PAIRS = new Set(['environment', 'labels', 'annotations', 'args', 'sysctls', 'extra_hosts']);
/** Lists of names that can also be written as a mapping. */
const NAMES = new Set(['depends_on', 'networks']);
/** Lists of which a single item can be written without the list. */
const SHORT_LISTS = new Set(['env_file', 'tmpfs', 'dns', 'dns_search', 'label_file']);
/** Lists that stand in place of what was there. */
const REPLACED = new Set(['command', 'entrypoint', 'test', 'config']);
/** Lists whose items take the place of an earlier one of the same target. */
const TARGETS: Readonly<Record<string, (item: Field) => string | undefined>> = { volumes: mountTarget, devices: mountTarget, configs: referenceTarget, secrets: referenceTarget };

/** What `over` makes of `base`, by the rules of the Compose specification for several files and for `extends`; `name` is the key of both. */
export function mergedFields(base: Field, over: Field, name = ''): Field {
  if (over.value === null) return base;
  const [below, above] = [asMapping(base, name), asMapping(over, name)];
  if (isMap(below) && isMap(above)) return mergedMappings(below, above, name);
  const [first, second] = [asList(below, name), asList(above, name)];
  if (!isList(first) || !isList(second) || REPLACED.has(name)) return above;
  const targetOf = TARGETS[name] ?? plainText;
  const taken = new Set(second.value.map(targetOf));
  return second.with([...first.value.filter((item) => targetOf(item) === undefined || !taken.has(targetOf(item))), ...second.value]);
}

function mergedMappings(base: MappingField, over: MappingField, name: string): Field {
  // Options of one driver say nothing to another.
  if (name === 'logging' && over.get('driver') !== undefined && over.get('driver')?.value !== base.get('driver')?.value) return over;
  const merged = new Map(base.value);
  for (const [key, value] of over.value) {
    const present = merged.get(key);
    merged.set(key, present === undefined || present.value === null ? value : mergedFields(present, value, key));
  }
  return over.with(merged);
}

/** The mapping that a list, or the one text of a short form, stands for; a field that is none stays as it is. */
export function asMapping(field: Field, name: string): Field {
  if (name === 'build' && typeof field.value === 'string') return field.with(new Map([['context', field]]));
  if (!isList(field)) return field;
  if (NAMES.has(name)) return field.with(new Map(field.value.map((item) => [textOf(item), item.with(null)])));
  if (!PAIRS.has(name)) return field;
  return field.with(new Map(field.value.map((item) => pairOf(item, name))));
}

/** `NAME=value`; a name alone has no value. Of hosts the divider may be a colon. */
function pairOf(item: Field, name: string): readonly [string, Field] {
  const text = textOf(item);
  const divider = name === 'extra_hosts' ? (/[:=]/.exec(text)?.index ?? -1) : text.indexOf('=');
  return divider < 0 ? [text, item.with(null)] : [text.slice(0, divider), item.with(text.slice(divider + 1))];
}

function asList(field: Field, name: string): Field {
  return SHORT_LISTS.has(name) && !isList(field) ? field.with([field]) : field;
}

function plainText({ value }: Field): string | undefined {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : undefined;
}

/** `source:target:mode`, or the field `target`. */
function mountTarget(item: Field): string | undefined {
  if (isMap(item)) return plainText(item.get('target') ?? item);
  const parts = plainText(item)?.split(':');
  return parts?.[1] ?? parts?.[0];
}

function referenceTarget(item: Field): string | undefined {
  return plainText(item.get('target') ?? item.get('source') ?? item);
}
