/** A table of somebody else's, as `list table` writes it. */
export interface ForeignTable {
  readonly family: 'ip' | 'ip6' | 'inet';
  readonly name: string;
  readonly text: string;
}

/** The node's own input rules, said once more for connections that published ports would take from them. */
export interface HostPolicy {
  /** Chains and sets for the instance's table. */
  readonly text: string;
  /** The node's input chains that judge, for people: `ip filter INPUT, policy drop`. */
  readonly chains: readonly string[];
  /** What of them could not be carried over, for people. */
  readonly unread: readonly string[];
}

interface Chain {
  readonly name: string;
  readonly base: { readonly hook: string; readonly priority: number; readonly policy: string } | undefined;
  readonly rules: readonly string[];
}

interface Parsed {
  readonly table: ForeignTable;
  readonly prefix: string;
  readonly chains: ReadonlyMap<string, Chain>;
  /** Sets, maps, limits and quotas: name, and all that stands for them. */
  readonly objects: readonly { readonly name: string; readonly text: string }[];
}

/** Nobody has input rules. */
export const OPEN_POLICY: HostPolicy = { text: '', chains: [], unread: [] };

/** Behind the tracking of connections and what marks packets, before their translation; there is room for 39 chains. */
const FIRST_PRIORITY = -139;
/** nft(8): the names of priorities at the hook `input`. */
const PRIORITIES: Readonly<Record<string, number>> = { raw: -300, mangle: -150, dstnat: -100, filter: 0, security: 50, srcnat: 100 };
const PROTOCOL = { ip: 'ipv4', ip6: 'ipv6' } as const;

/**
 * A service of the node's own would be behind the chains of the hook `input`; packets for a container never come there. So these chains are written once more, to
 * judge at the hook `prerouting` what `judge` does not let off: new connections to a published port, as they were before they are translated. Each is a base
 * chain of its own, so that a verdict means what it meant.
 */
export function hostPolicyOf(tables: readonly ForeignTable[]): HostPolicy {
  const parsed = tables.map(parseTable);
  const unread: string[] = [];
  const judging = parsed
    .flatMap((each) => [...each.chains.values()].flatMap((chain) => (chain.base?.hook === 'input' ? [{ each, chain, base: chain.base }] : [])))
    .toSorted((a, b) => a.base.priority - b.base.priority);
  if (judging.length === 0) return OPEN_POLICY;
  const parts = judging.map(({ each, chain, base }, at) => {
    const { family } = each.table;
    const only = family === 'inet' ? [] : [`meta nfproto != ${PROTOCOL[family]} accept`];
    return chainText(each.prefix, chain.name, [`type filter hook prerouting priority ${FIRST_PRIORITY + at}; policy ${base.policy};`, ...only, 'jump judge', ...chain.rules.flatMap((rule) => mirrored(rule, each, chain, unread))]);
  });
  for (const each of parsed) {
    const reached = reachable(each, [...each.chains.values()].filter(({ base }) => base?.hook === 'input'));
    parts.unshift(...reached.map((chain) => chainText(each.prefix, chain.name, chain.rules.flatMap((rule) => mirrored(rule, each, chain, unread)))));
    parts.unshift(...each.objects.map(({ text }) => `  ${renamed(text, each)}\n`));
  }
  return { text: JUDGE + parts.join(''), chains: judging.map(({ each, chain, base }) => `${each.table.family} ${each.table.name} ${chain.name}, policy ${base.policy}`), unread };
}

/** Nothing from the outside gets in: for rules that the kernel would not take a second time. */
export function closedPolicy({ chains, unread }: HostPolicy, why: string): HostPolicy {
  return { text: `${JUDGE}${chainText('host-', 'closed', [`type filter hook prerouting priority ${FIRST_PRIORITY}; policy accept;`, 'jump judge', 'drop'])}`, chains, unread: [...unread, why] };
}

/** Gives back what is to be judged, and accepts everything else. */
const JUDGE = `
  chain judge {
    ct state != new accept
    iifname @bridges accept
    fib daddr type != local accept
    ip daddr . meta l4proto . th dport @judged4 return
    ip6 daddr . meta l4proto . th dport @judged6 return
    meta l4proto . th dport @judged return
    accept
  }
`;

function chainText(prefix: string, name: string, lines: readonly string[]): string {
  return `  chain ${prefix}${name} {\n${lines.map((line) => `    ${line}\n`).join('')}  }\n`;
}

/** A rule as it is to stand in our table; none where leaving it out is the safe way. */
function mirrored(rule: string, each: Parsed, chain: Chain, unread: string[]): string[] {
  if (!/\bxt (match|target)\b/.test(rule)) return [renamed(rule, each)];
  const known = rule.replace(/\bxt (match|target) \S+\s*/g, '').trim();
  const target = /\b(?:jump|goto) (\S+)$/.exec(known)?.[1];
  const closes = /\b(drop|reject)\b/.test(known) || (target !== undefined && !accepts(each, target));
  // What only ever refuses may refuse more; what may let in must not let in more. Where a rule decides nothing, nothing is lost.
  if (closes || /\b(accept|return)$/.test(known) || target !== undefined) unread.push(`${each.table.family} ${each.table.name} ${chain.name}: ${rule}`);
  return closes ? [renamed(known, each)] : [];
}

function accepts(each: Parsed, name: string): boolean {
  const start = each.chains.get(name);
  return start !== undefined && [start, ...reachable(each, [start])].some(({ rules }) => rules.some((rule) => /\baccept\b/.test(rule)));
}

/** The chains that others lead to, by a rule or by a verdict map. */
function reachable({ chains, objects }: Parsed, from: readonly Chain[]): Chain[] {
  const found = new Set<Chain>();
  const texts = [...objects.map(({ text }) => text), ...from.map(({ rules }) => rules.join('\n'))];
  for (let text = texts.pop(); text !== undefined; text = texts.pop()) {
    for (const [, name = ''] of text.matchAll(/\b(?:jump|goto) ([\w./-]+)/g)) {
      const next = chains.get(name);
      if (!next || found.has(next) || next.base) continue;
      found.add(next);
      texts.push(next.rules.join('\n'));
    }
  }
  return [...found];
}

/** With our names in place of its table's, and without what counts or is told to others. */
function renamed(text: string, { prefix, chains, objects }: Parsed): string {
  const names = new Set(objects.map(({ name }) => name));
  const quoted = (part: string): string => part.replace(/\b(limit|quota) name "([^"]+)"/g, (_, kind: string, name: string) => `${kind} name "${prefix}${name}"`).replace(/\bcounter name \S+\s*|\bct (helper|timeout|expectation) set \S+\s*/g, '');
  return quoted(text)
    .split(/("[^"]*")/)
    .map((part) =>
      part.startsWith('"')
        ? part
        : part
            .replace(/\b(jump|goto) ([\w./-]+)/g, (whole, verb: string, name: string) => (chains.has(name) ? `${verb} ${prefix}${name}` : whole))
            .replace(/@([\w./-]+)/g, (whole, name: string) => (names.has(name) ? `@${prefix}${name}` : whole))
            .replace(/^(set|map|limit|quota) (\S+) \{/, (_, kind: string, name: string) => `${kind} ${prefix}${name} {`)
            .replace(/ expires [\w.]+/g, ''),
    )
    .join('');
}

/** The listing has a tab before each line of the table's own, and two before what is in those. */
function parseTable(table: ForeignTable, index: number): Parsed {
  const chains = new Map<string, Chain>();
  const objects: { name: string; text: string }[] = [];
  for (const [, kind = '', name = '', body = ''] of table.text.matchAll(/^\t(\w+) (\S+) \{\n(.*?)^\t\}$/gms)) {
    const lines = body.split('\n').map((line) => line.trim()).filter((line) => line !== '' && !line.startsWith('#'));
    if (kind === 'set' || kind === 'map' || kind === 'limit' || kind === 'quota') objects.push({ name, text: `${kind} ${name} {\n${lines.map((line) => `    ${line}\n`).join('')}  }` });
    if (kind !== 'chain') continue;
    const head = /^type (\w+) hook (\w+)(?: device \S+)? priority (-?\w+)(?: ([+-]) (\d+))?;(?: policy (\w+);)?/.exec(lines[0] ?? '');
    const offset = Number(head?.[5] ?? 0) * (head?.[4] === '-' ? -1 : 1);
    const base = head && { hook: head[1] === 'filter' ? (head[2] ?? '') : '', priority: (PRIORITIES[head[3] ?? ''] ?? Number(head[3])) + offset, policy: head[6] ?? 'accept' };
    const rules = (head ? lines.slice(1) : lines).filter((line) => !line.startsWith('comment '));
    chains.set(name, { name, base: base ?? undefined, rules });
  }
  return { table, prefix: `host${index}-`, chains, objects };
}
