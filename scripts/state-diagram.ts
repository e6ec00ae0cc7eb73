/**
 * Writes docs/state-diagram.md from the container's machine.
 * With `--check` it writes nothing and exits 1 when the page is not what it would write.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { AnyStateNode, AnyTransitionDefinition } from 'xstate';
import { systemClock } from '../src/lib/clock.ts';
import { createContainerMachine } from '../src/reconcile/machine.ts';

const page = 'docs/state-diagram.md';

/** The page as the machine has it. */
export function stateDiagram(): string {
  const neverRun = (): never => {
    throw new Error('the machine is only drawn');
  };
  const { root } = createContainerMachine({ clock: systemClock, enqueue: neverRun, look: neverRun, act: neverRun });
  const states = Object.values(root.states);
  return [
    '# The machine of one container',
    '',
    'Generated from `src/reconcile/machine.ts` by `scripts/state-diagram.ts`; `make generate` writes it again.',
    '',
    'What comes next is never decided here: `deciding` goes where the step leads that `plan` gave (`src/reconcile/plan.ts`).',
    'A LOOK says that something may have changed; DESIRED_CHANGED also makes earlier failures void.',
    '',
    '```mermaid',
    'stateDiagram-v2',
    `  [*] --> ${root.initial.target[0]?.key}`,
    ...states.flatMap((state) => arrowsOf(state)),
    ...states.filter(({ type }) => type === 'final').map(({ key }) => `  ${key} --> [*]`),
    '```',
    '',
    '| state | what it does |',
    '| --- | --- |',
    ...states.map(({ key, description }) => `| \`${key}\` | ${description ?? ''} |`),
    '',
  ].join('\n');
}

function arrowsOf(state: AnyStateNode): string[] {
  const labels = new Map<string, string[]>();
  for (const transition of [...(state.always ?? []), ...[...state.transitions.values()].flat()]) {
    const to = transition.target?.[0]?.key;
    if (to === undefined) continue;
    labels.set(to, [...(labels.get(to) ?? []), labelOf(transition)]);
  }
  return [...labels].map(([to, names]) => `  ${state.key} --> ${to}: ${names.join(', ')}`);
}

function labelOf({ eventType, guard }: AnyTransitionDefinition): string {
  if (eventType === '') return guardName(guard);
  if (eventType.startsWith('xstate.done.')) return 'done';
  if (eventType.startsWith('xstate.error.')) return 'error';
  const delay = /^xstate\.after\.(\w+)\./.exec(eventType)?.[1];
  return delay === undefined ? eventType : `after ${delay}`;
}

/** The step's kind for a guard on the step, else the guard's own name. */
function guardName(guard: unknown): string {
  if (typeof guard === 'string') return guard;
  if (typeof guard !== 'object' || guard === null || !('params' in guard)) return 'else';
  const { params } = guard;
  return typeof params === 'object' && params !== null && 'kind' in params ? String(params.kind) : 'else';
}

if (import.meta.main) {
  const file = join(import.meta.dirname, '..', page);
  const wanted = stateDiagram();
  if (!process.argv.includes('--check')) {
    await writeFile(file, wanted);
    console.log(`wrote ${page}`);
  } else if ((await readFile(file, 'utf8')) !== wanted) {
    console.error(`${page} is not what the machine says: run scripts/state-diagram.ts and commit the result`);
    process.exitCode = 1;
  }
}
