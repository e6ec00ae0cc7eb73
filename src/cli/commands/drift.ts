import type { ContainerDrift, DriftList, DriftReportEntry } from '../../api/v1/drift-types.ts';
import type { Client } from '../client.ts';
import { EXIT } from '../exit.ts';
import type { Io } from '../io.ts';
import { parseName } from '../name.ts';
import { formatAge } from '../output/age.ts';
import { type Cell, renderTable } from '../output/table.ts';
import { serialize, type OutputFormat } from './get.ts';

export interface DriftOptions {
  readonly namespace: string;
  readonly allNamespaces?: boolean;
  readonly exitCode?: boolean;
  readonly output?: OutputFormat;
}

/** `mooring drift [NAME]`: what differs from what is declared, and what was undone lately. */
export async function drift(client: Client, io: Io, word: string | undefined, { namespace, allNamespaces = false, exitCode = false, output }: DriftOptions): Promise<number> {
  const one = word === undefined ? undefined : parseName(word, namespace);
  const query = new URLSearchParams(one !== undefined ? { name: `${one.namespace}/${one.name}` } : allNamespaces ? {} : { namespace }).toString();
  const list = await client.get<DriftList>(`/v1/drift${query === '' ? '' : `?${query}`}`);
  const present = list.items.some((item) => item.present.length > 0);
  if (output === 'json' || output === 'yaml') io.out(await serialize(list, output));
  else io.out(describe(list.items, { wide: output === 'wide', namespaces: allNamespaces, io }));
  return exitCode && present ? EXIT.pending : EXIT.ok;
}

interface Looks {
  readonly wide: boolean;
  readonly namespaces: boolean;
  readonly io: Io;
}

function describe(items: readonly ContainerDrift[], looks: Looks): string {
  const present = items.flatMap(({ name, present: entries }) => entries.map((entry) => ({ name, entry })));
  const past = items.flatMap(({ name, past: entries }) => entries.map((entry) => ({ name, entry }))).toSorted((a, b) => (a.entry.foundAt < b.entry.foundAt ? 1 : -1));
  const parts = [present.length === 0 ? 'Nothing differs from what is declared.\n' : table(present, looks), ...(past.length === 0 ? [] : ['\n', table(past, looks)])];
  return parts.join('');
}

function table(rows: readonly { readonly name: string; readonly entry: DriftReportEntry }[], { wide, namespaces, io }: Looks): string {
  const { style } = io;
  const now = io.now();
  const header = ['CONTAINER', 'KIND', 'POLICY', 'FOUND', 'UNDONE', 'BY', ...(wide ? ['TIMES', 'WHO'] : []), 'WHAT'];
  const cells = rows.map(({ name, entry }): (Cell | string)[] => [
    namespaces ? name : name.slice(name.indexOf('/') + 1),
    { text: entry.kind, paint: entry.undoneAt === undefined ? style.yellow : style.green },
    entry.policy,
    age(entry.foundAt, now),
    entry.undoneAt === undefined ? 'no' : age(entry.undoneAt, now),
    entry.undoneBy ?? '-',
    ...(wide ? [String(entry.count), entry.who] : []),
    wide || entry.who === 'unknown' ? entry.message : `${entry.message} (by ${entry.who})`,
  ]);
  return renderTable(header, cells);
}

function age(time: string, now: number): string {
  return `${formatAge(now - Date.parse(time))} ago`;
}
