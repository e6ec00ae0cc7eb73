import type { Element } from './rules.ts';

/** A table as it stands in the kernel: its rules, without what changes with every rewriting, and the entries of its maps. */
export interface TableListing {
  /** Equal when tables, chains, maps and rules are. */
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
    if (kind === 'map' && Array.isArray(elem)) for (const [key, to] of elem as [Json, Json][]) elements.add(`${String(rest['name'])} ${partsOf(key)} : ${partsOf(to)}`);
    return [{ [kind]: rest }];
  });
  return { shape: JSON.stringify(shape), elements };
}

export function elementText({ map, key, value }: Element): string {
  return `${map} ${key} : ${value}`;
}

/** The parts of a concatenation as nft(8) takes them. A protocol comes as its number or its name. */
function partsOf({ concat }: Json): string {
  const parts = (concat as readonly (string | number)[]).map(String);
  const protocol = parts.length - 2;
  return parts.map((part, at) => (at === protocol ? (PROTOCOLS[part] ?? part) : part)).join(' . ');
}
