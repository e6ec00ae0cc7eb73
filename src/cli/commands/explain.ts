import type { Explanation } from '../../api/v1/types.ts';
import type { Client } from '../client.ts';
import { EXIT } from '../exit.ts';
import type { Io } from '../io.ts';
import { containerPath, parseName } from '../name.ts';
import { printable } from '../output/table.ts';
import { serialize, type OutputFormat } from './get.ts';

export interface ExplainOptions {
  readonly namespace: string;
  readonly output?: OutputFormat;
}

/** `mooring explain NAME`: what is wanted, what was found just now, what comes next, and why. */
export async function explain(client: Client, io: Io, word: string, options: ExplainOptions): Promise<number> {
  const explanation = await client.get<Explanation>(`${containerPath(parseName(word, options.namespace))}/explain`);
  if (options.output === 'json' || options.output === 'yaml') {
    io.out(await serialize(explanation, options.output));
    return EXIT.ok;
  }
  const { name, desired, observed, next, machineState } = explanation;
  const rows = [
    ['Container', name],
    ['Wanted', desired],
    ['Found', observed],
    ['Next', `${next.kind} (${next.reason}): ${next.message}`],
    ['Machine', machineState],
  ] as const;
  io.out(rows.map(([label, value]) => `${io.style.bold(`${label}:`.padEnd(10))}  ${printable(value)}\n`).join(''));
  return EXIT.ok;
}
