import type { PlannedChange, PlanResult } from '../../api/v1/types.ts';
import type { Client } from '../client.ts';
import { readDocuments } from '../documents.ts';
import { EXIT } from '../exit.ts';
import type { Io } from '../io.ts';
import { problemLines } from '../output/problems.ts';
import { printable } from '../output/table.ts';
import { serialize, type OutputFormat } from './get.ts';

export interface PlanOptions {
  readonly filename: readonly string[];
  readonly prune?: boolean;
  readonly exitCode?: boolean;
  readonly output?: OutputFormat;
}

const WORDS: Readonly<Record<PlannedChange['action'], string>> = {
  Create: 'will be created',
  Recreate: 'will be made anew',
  Start: 'will be started',
  Restart: 'will be restarted',
  Stop: 'will be stopped',
  Remove: 'will be removed',
  Update: 'will be changed in place',
  Wait: 'will wait',
  Refuse: 'can not be changed so',
  None: 'stays as it is',
};

/** `mooring plan -f FILE|DIR`: says what would be done and why; does nothing. */
export async function plan(client: Client, io: Io, options: PlanOptions): Promise<number> {
  const files = await readDocuments(options.filename, io);
  const { changes, warnings } = await client.post<PlanResult>(`/v1/plan${options.prune ? '?prune=1' : ''}`, files);
  if (warnings !== undefined) io.err(`${problemLines(warnings, io.style).join('\n')}\n`);
  const pending = changes.filter(({ action }) => action !== 'None');
  if (options.output === 'json' || options.output === 'yaml') io.out(await serialize({ changes }, options.output));
  else io.out(`${[...pending.map((change) => describeChange(change, io)), summary(changes)].join('\n')}\n`);
  return options.exitCode && pending.length > 0 ? EXIT.pending : EXIT.ok;
}

function describeChange({ kind, name, action, steps, changes }: PlannedChange, { style }: Io): string {
  const mark = action === 'Create' || action === 'Start' ? style.green('+') : action === 'Remove' || action === 'Stop' ? style.red('-') : style.yellow('~');
  const lines = [`${mark} ${style.bold(kind === 'Container' ? name : `${kind.toLowerCase()} ${name}`)} ${WORDS[action]}`];
  for (const { field, from, to } of changes) lines.push(`      ${field}: ${style.red(printable(from))} → ${style.green(printable(to))}`);
  steps.forEach((step, index) => lines.push(`    ${index + 1}. ${step.kind}: ${printable(step.message)}`));
  return `${lines.join('\n')}\n`;
}

function summary(changes: readonly PlannedChange[]): string {
  const count = (...actions: PlannedChange['action'][]): number => changes.filter(({ action }) => actions.includes(action)).length;
  const parts = [
    `${count('Create', 'Start')} to create or start`,
    `${count('Recreate', 'Restart', 'Update')} to change`,
    `${count('Remove', 'Stop')} to stop or remove`,
    `${count('None')} unchanged`,
    ...(count('Wait', 'Refuse') === 0 ? [] : [`${count('Wait', 'Refuse')} that can not be done now`]),
  ];
  return `Plan: ${parts.join(', ')}. Nothing was done.`;
}
