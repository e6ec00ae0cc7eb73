import { type Alias, type Document, isAlias, isMap, isScalar, isSeq, type Node, type Pair, type ParsedNode, type Scalar, type YAMLMap, type YAMLSeq } from 'yaml';
import { quoted } from '../lib/text.ts';
import type { FieldFault } from './field-fault.ts';
import { isMapping, type Path } from './schema-walk.ts';

/** Nesting that no resource needs, and that keeps recursion off the stack's end. */
const MAX_DEPTH = 64;
const CORE_TAGS = new Set(['!', ...['str', 'int', 'float', 'bool', 'null', 'map', 'seq'].map((type) => `tag:yaml.org,2002:${type}`)]);

/** A mistake that shows before any schema is asked. */
export interface TreeFault extends FieldFault {
  /** Where in the text, when the path alone would lead elsewhere. */
  readonly offset?: number;
}

export interface TreeOptions {
  /** Whether merge keys (`<<`) are taken for what YAML 1.1 made of them, as compose files have them. Without it they are refused. */
  readonly mergeKeys?: boolean;
  /** Whether a number such as `0644` is refused, which tools of YAML 1.1 read as octal. */
  readonly refuseOctals?: boolean;
}

/** Where a mapping's fields were written: with merge keys not all of them in one place. */
type Origin = { readonly node: YAMLSeq } | { readonly node: YAMLMap; readonly pairs: Map<string, Pair> };

/** Counts the values that a file may hold, aliases expanded; shared by all documents of the file. */
export interface NodeBudget {
  left: number;
}

/**
 * One document as plain values, with aliases expanded within a budget and the way back from a field's path to its place in the text.
 * Mappings are objects without prototype. What a resource may not use (merge keys, tags beyond YAML's core, cycles) is a fault.
 */
export class YamlTree {
  readonly value: unknown;
  readonly faults: TreeFault[] = [];
  /** False when the value is not all that the text means: it was too much, or merge keys were left out. */
  complete = true;
  readonly #budget: NodeBudget;
  readonly #root: ParsedNode | null;
  readonly #options: TreeOptions;
  readonly #origins = new Map<object, Origin>();
  readonly #anchors = new Map<string, Node>();
  readonly #open = new Set<Node>();
  #expanding = 0;

  constructor(document: Document.Parsed, budget: NodeBudget, options: TreeOptions = {}) {
    this.#budget = budget;
    this.#options = options;
    this.#root = document.contents;
    this.value = this.#build(document.contents, []);
  }

  /** Offset in the text of a field's name or value; of the nearest thing around it where the field is missing. */
  offsetOf(path: Path, onKey: boolean): number {
    let offset = startOf(this.#root);
    let current = this.value;
    for (const [index, step] of path.entries()) {
      const origin = typeof current === 'object' && current !== null ? this.#origins.get(current) : undefined;
      if (origin !== undefined && !('pairs' in origin) && typeof step === 'number' && Array.isArray(current)) {
        offset = startOf(origin.node.items[step] as Node | null, offset);
        current = current[step];
      } else if (origin !== undefined && 'pairs' in origin && typeof step === 'string' && isMapping(current)) {
        const pair = origin.pairs.get(step);
        if (pair === undefined) return offset;
        const last = index === path.length - 1;
        const key = startOf(pair.key as Node | null, offset);
        offset = last && !onKey ? startOf(pair.value as Node | null, key) : key;
        current = current[step];
      } else return offset;
    }
    return offset;
  }

  #build(node: Node | null, path: Path): unknown {
    if (node === null) return null;
    if (!this.complete) return undefined;
    if (--this.#budget.left < 0) return this.#stop(node, path.slice(0, 2), 'holds too many values', 'split the file; an alias counts with all that it stands for');
    if (path.length > MAX_DEPTH) return this.#stop(node, path.slice(0, 2), `is nested more than ${MAX_DEPTH} deep`);
    if (isAlias(node)) return this.#expand(node, path);
    if (node.tag !== undefined && !CORE_TAGS.has(node.tag)) {
      return this.#fault(path, `has the tag ${quoted(node.tag)}, which is not known`, { fix: 'remove the tag' });
    }
    if ('anchor' in node && node.anchor !== undefined && this.#expanding === 0) this.#anchors.set(node.anchor, node);
    if (isScalar(node)) return this.#scalar(node, path);
    this.#open.add(node);
    const value = isMap(node) ? this.#mapping(node, path) : isSeq(node) ? this.#list(node, path) : undefined;
    this.#open.delete(node);
    return value;
  }

  #scalar({ value, source }: Scalar, path: Path): unknown {
    if (this.#options.refuseOctals === true && typeof value === 'number' && /^[-+]?0[0-9]/.test(source ?? '')) {
      return this.#fault(path, `${source ?? value} is a decimal number to some tools and an octal one to others`, { fix: `put it in quotes: "${source ?? value}"` });
    }
    if (typeof value === 'string' && !value.isWellFormed()) return this.#fault(path, 'holds half of a surrogate pair, which is no character');
    return value;
  }

  #list(node: YAMLSeq, path: Path): unknown[] {
    const list: unknown[] = [];
    this.#origins.set(list, { node });
    for (const [index, item] of node.items.entries()) list.push(this.#build(item as Node | null, [...path, index]));
    return list;
  }

  #mapping(node: YAMLMap, path: Path): Record<string, unknown> {
    const mapping: Record<string, unknown> = Object.create(null);
    const pairs = new Map<string, Pair>();
    const merges: Pair[] = [];
    this.#origins.set(mapping, { node, pairs });
    for (const pair of node.items) {
      const key = keyOf(pair);
      if (key === undefined) {
        this.#fault(path, 'has a key that is not plain text', { fix: 'write the key out' });
        continue;
      }
      const at = [...path, key];
      const repeated = Object.hasOwn(mapping, key);
      if (!pairs.has(key)) pairs.set(key, pair);
      if (repeated) this.#fault(at, 'is given twice', { fix: 'keep one of them', offset: startOf(pair.key as Node | null) });
      else if (key === '<<' && this.#options.mergeKeys === true) merges.push(pair);
      else if (key === '<<') this.#stop(pair.key as Node | null, at, 'merge keys are not part of YAML 1.2', 'write the fields out, or alias a whole value');
      else if (key === '__proto__') this.#fault(at, 'unknown field', { onKey: true });
      else mapping[key] = this.#build(pair.value as Node | null, at);
    }
    for (const pair of merges) this.#merge(pair, mapping, pairs, [...path, '<<']);
    return mapping;
  }

  /** Adds what a merge key's mappings have and the mapping itself, or one of them before, has not (yaml.org/type/merge.html). */
  #merge({ value: node }: Pair, mapping: Record<string, unknown>, pairs: Map<string, Pair>, path: Path): void {
    const value = this.#build(node as Node | null, path);
    for (const source of Array.isArray(value) ? (value as unknown[]) : [value]) {
      const origin = isMapping(source) ? this.#origins.get(source) : undefined;
      if (!isMapping(source) || origin === undefined || !('pairs' in origin)) {
        if (this.complete) this.#fault(path, 'merges something that is not a mapping', { fix: 'give an alias of a mapping, or a list of them', offset: startOf(node as Node | null) });
        return;
      }
      for (const [key, pair] of origin.pairs) {
        if (Object.hasOwn(mapping, key) || !Object.hasOwn(source, key)) continue;
        pairs.set(key, pair);
        mapping[key] = source[key];
      }
    }
  }

  #expand(alias: Alias, path: Path): unknown {
    const target = this.#anchors.get(alias.source);
    if (target === undefined) return this.#fault(path, `the alias *${alias.source} has no anchor before it`, { fix: `set &${alias.source} on the value that is meant` });
    if (this.#open.has(target)) return this.#fault(path, `the alias *${alias.source} stands for a value that contains it`);
    this.#expanding++;
    const value = this.#build(target, path);
    this.#expanding--;
    return value;
  }

  /** Gives the document up: its value is not what its text means. */
  #stop(node: Node | null, path: Path, message: string, fix?: string): undefined {
    this.complete = false;
    return this.#fault(path, message, { offset: startOf(node), ...(fix === undefined ? {} : { fix }) });
  }

  #fault(path: Path, message: string, details: Partial<Pick<TreeFault, 'fix' | 'onKey' | 'offset'>> = {}): undefined {
    this.faults.push({ path, onKey: false, message, ...details });
    return undefined;
  }
}

/** A pair's key as text; undefined where it is an alias or a collection. An empty key is the empty string. */
function keyOf({ key }: Pair): string | undefined {
  if (key === null || (isScalar(key) && key.value === null)) return '';
  return isScalar(key) && typeof key.value === 'string' ? key.value : undefined;
}

function startOf(node: Node | null | undefined, otherwise = 0): number {
  return node?.range?.[0] ?? otherwise;
}
