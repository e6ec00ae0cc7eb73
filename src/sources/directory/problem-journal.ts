import type { EventLog } from '../../reconcile/events.ts';
import type { SpecProblem } from '../../spec/problem.ts';

/** Remembers what stands in a source's way, and tells each change of it once. */
export class ProblemJournal {
  readonly #events: EventLog;
  readonly #onProblems: (standing: readonly SpecProblem[], appeared: readonly SpecProblem[]) => void;
  #standing = new Map<string, SpecProblem>();

  constructor(events: EventLog, onProblems: (standing: readonly SpecProblem[], appeared: readonly SpecProblem[]) => void) {
    this.#events = events;
    this.#onProblems = onProblems;
  }

  get standing(): SpecProblem[] {
    return [...this.#standing.values()];
  }

  /** Makes `problems` all that stand now. */
  update(problems: readonly SpecProblem[]): void {
    const next = new Map(problems.map((problem) => [describe(problem), problem]));
    const appeared = [...next].filter(([text]) => !this.#standing.has(text));
    const left = new Set(problems.map(({ file }) => file));
    const mended = new Set([...this.#standing.values()].map(({ file }) => file).filter((file) => !left.has(file)));
    if (appeared.length === 0 && next.size === this.#standing.size) return;
    this.#standing = next;
    for (const [message, { name, kind = 'Container', warning }] of appeared)
      this.#events.record({ type: 'Warning', reason: warning === true ? 'SpecIncomplete' : 'SpecRejected', message, ...(name === undefined ? {} : { name, kind }) });
    for (const file of mended) this.#events.record({ type: 'Normal', reason: 'SpecAccepted', message: `${file === '.' ? 'the specs folder' : file}: no problem left` });
    this.#onProblems(
      problems,
      appeared.map(([, problem]) => problem),
    );
  }
}

function describe({ at, field, message, fix }: SpecProblem): string {
  const what = field === '' ? message : `${field}: ${message}`;
  const where = at === '.' ? '' : `${at}: `;
  return `${where}${what}${fix === undefined ? '' : ` (${fix})`}`;
}
