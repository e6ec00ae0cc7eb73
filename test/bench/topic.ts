import { messageOf } from '../../src/lib/errors.ts';
import { summarise, type Summary } from './statistics.ts';

/** One row of a table: a contender and what it measured, or why it could not. */
export type Row = { readonly contender: string } & ({ readonly summary: Summary } | { readonly void: string });

export interface Table {
  readonly title: string;
  /** What one figure is, and its unit: `ms from kill -9 to the new process's first write`. */
  readonly figure: string;
  /** Lower is better everywhere; ratios are each row's median to this contender's. */
  readonly reference: string;
  readonly rows: readonly Row[];
  /** What a reader must know to judge the figures. */
  readonly notes: readonly string[];
}

/** A thing to measure. `run` gives one figure; what it starts, it ends. */
export interface Contender {
  readonly name: string;
  run(round: number): Promise<number>;
}

/**
 * Measures contenders in turn, A B C A B C …, so that a drift of the machine's speed falls on all of them alike.
 * A contender that fails once is out, and its row says why.
 */
export async function interleave(contenders: readonly Contender[], options: { readonly rounds: number; readonly warmup: number }): Promise<Row[]> {
  const series = new Map(contenders.map((contender) => [contender.name, [] as number[]]));
  const failed = new Map<string, string>();
  for (let round = -options.warmup; round < options.rounds; round++) {
    for (const contender of contenders) {
      if (failed.has(contender.name)) continue;
      try {
        const figure = await contender.run(round);
        if (round >= 0) series.get(contender.name)?.push(figure);
      } catch (thrown) {
        failed.set(contender.name, messageOf(thrown));
        console.error(`VOID ${contender.name}: ${messageOf(thrown)}`);
      }
    }
  }
  return contenders.map(({ name }) => {
    const reason = failed.get(name);
    return reason === undefined ? { contender: name, summary: summarise(series.get(name) ?? []) } : { contender: name, void: reason };
  });
}

/** A row from a series that was measured elsewhere. */
export function rowOf(contender: string, series: readonly number[]): Row {
  return { contender, summary: summarise(series) };
}
