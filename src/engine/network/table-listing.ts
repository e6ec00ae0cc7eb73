import type { Element } from './rules.ts';

/** A table as it stands in the kernel: its rules, without what changes with every rewriting, and the entries of its sets and maps. */
export interface TableListing {
  /** Equal when tables, chains, sets and rules are. */
  readonly shape: string;
  /** Each as `elementText` gives it. */
  readonly elements: ReadonlySet<string>;
}

type Json = Readonly<Record<string, unknown>>;

const PROTOCOLS: Readonly<Record<string, string>> = { 6: 'tcp', 17: 'udp', 132: 'sctp' };

/** Reads what `list table` gives as JSON (libnftables-json(5)). */
export function parseListing(text: string): TableListing {
  const { nftables } = JSON.parse(text) as { readonly nftables: readonly Json[] };
  const elements = new Set<string>();
  const shape = nftables.flatMap((entry) => {
    const [[kind, value] = []] = Object.entries(entry);
    if (kind === undefined || kind === 'metainfo') return [];
    const { handle: _, elem, ...rest } = value as Json;
    // What a rule adds to a set of the mirrored ones is that set's own business.
    const ours = (kind === 'map' || kind === 'set') && Array.isArray(elem) && !String(rest['name']).includes('-');
    if (ours) for (const each of elem as readonly unknown[]) elements.add(`${String(rest['name'])} ${Array.isArray(each) ? each.map(partsOf).join(' : ') : partsOf(each)}`);
    return [{ [kind]: rest }];
  });
  return { shape: JSON.stringify(shape), elements };
}

export function elementText({ set, key, value }: Element): string {
  return `${set} ${key.replaceAll('"', '')}${value === undefined ? '' : ` : ${value}`}`;
}

/** A key or value as nft(8) takes it. A protocol, which stands before a port, comes as its number or its name. */
function partsOf(entry: unknown): string {
  const { concat } = entry as Json;
  const parts = (Array.isArray(concat) ? (concat as unknown[]) : [entry]).map(partOf);
  return parts.map((part, at) => (at === parts.length - 2 ? (PROTOCOLS[part] ?? part) : part)).join(' . ');
}

function partOf(part: unknown): string {
  if (typeof part !== 'object' || part === null) return String(part);
  const { addr, len } = (part as { readonly prefix: { readonly addr: string; readonly len: number } }).prefix;
  return `${addr}/${len}`;
}
