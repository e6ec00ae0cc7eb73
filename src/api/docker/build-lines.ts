import type { BuildProgress } from '../../engine/builds.ts';
import type { BuildStep } from '../../engine/build/progress.ts';

/** What the engine says of a step as it goes. */
interface Told {
  step: BuildStep;
  readonly lines: string[];
}

/** What the engine writes in red. */
const RED = '\u001B[91m';
const PLAIN = '\u001B[0m';

/**
 * A build's progress in the words of the engine's classic builder. Mooring builds stages side by side: the steps are told one after the other, each with what it
 * wrote, in the order of the Dockerfile as far as they are there. There are no images in between, and so no ids of them.
 */
export class BuildLines {
  readonly #say: (text: string) => void;
  readonly #labels: ReadonlyMap<string, string>;
  readonly #waiting = new Map<number, Told>();
  /** How many steps there are. */
  #count = 0;
  /** Of the step that is being told. */
  #current: number | undefined;
  /** The step that failed, as soon as one has. */
  failed: BuildStep | undefined;

  /** Labels that were asked for beside the Dockerfile are a last step of their own. */
  constructor(say: (text: string) => void, labels: ReadonlyMap<string, string> = new Map()) {
    this.#say = say;
    this.#labels = labels;
  }

  /** Once all is done. */
  finish(): void {
    if (this.#labels.size > 0) this.#say(`Step ${this.#count}/${this.#count} : LABEL ${[...this.#labels].map(([key, value]) => `${key}=${value}`).join(' ')}\n`);
  }

  take(event: BuildProgress): void {
    if (event.type === 'WARNING') return this.#say(`[Warning] ${event.at}: ${event.message}\n`);
    if (event.type === 'STEP') return this.#step(event);
    const red = event.type === 'OUTPUT' && event.stream === 'stderr';
    this.#line(event.id, red ? `${RED}${event.text}\n${PLAIN}` : `${event.text}\n`);
  }

  #step(step: BuildStep): void {
    const known = this.#waiting.get(step.id);
    if (known === undefined) {
      this.#waiting.set(step.id, { step, lines: [] });
      return this.#turn();
    }
    known.step = step;
    if (step.state === 'Failed') this.failed ??= step;
    if (this.#current === step.id) this.#end(known);
    else this.#turn();
  }

  /** To the first step that can be told, unless one is being told. */
  #turn(): void {
    if (this.#current !== undefined) return;
    const ready = [...this.#waiting.values()].filter(({ step }) => step.state !== 'Started' || !/^FROM\b/i.test(step.text));
    const [next] = ready.toSorted((a, b) => (a.step.place?.number ?? 0) - (b.step.place?.number ?? 0));
    if (next !== undefined) this.#turnTo(next);
  }

  #line(id: number, text: string): void {
    if (id === this.#current) this.#say(text);
    else this.#waiting.get(id)?.lines.push(text);
  }

  #turnTo(told: Told): void {
    this.#current = told.step.id;
    const { place, text } = told.step;
    if (place !== undefined) this.#count = place.count + (this.#labels.size > 0 ? 1 : 0);
    this.#say(place === undefined ? `# Executing build trigger\n${text}\n` : `Step ${place.number}/${this.#count} : ${text}\n`);
    for (const line of told.lines.splice(0)) this.#say(line);
    if (told.step.state !== 'Started') this.#end(told);
  }

  #end({ step }: Told): void {
    if (step.state === 'Cached') this.#say(' ---> Using cache\n');
    this.#waiting.delete(step.id);
    this.#current = undefined;
    this.#turn();
  }
}

/** What a command that failed is told by; clients end with its code. */
export function commandFailure({ text, exitCode }: BuildStep): { readonly message: string; readonly code: number } | undefined {
  if (exitCode === undefined) return undefined;
  const command = text.replace(/^RUN\s+/i, '').replace(/^(--\S+\s+)+/, '');
  return { message: `The command '${wordsOf(command)}' returned a non-zero code: ${exitCode}`, code: exitCode };
}

function wordsOf(command: string): string {
  try {
    const words: unknown = JSON.parse(command);
    if (Array.isArray(words)) return words.join(' ');
  } catch {
    // the shell's form
  }
  return `/bin/sh -c ${command}`;
}
