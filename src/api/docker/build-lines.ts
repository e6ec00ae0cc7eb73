import type { BuildProgress } from '../../engine/builds.ts';
import type { BuildStep } from '../../engine/build/progress.ts';

/** What the engine says of a step as it goes. */
interface Told {
  step: BuildStep;
  readonly lines: string[];
}

/**
 * A build's progress in the words of the engine's classic builder. Mooring builds stages side by side: the steps are told one after the other, as they began,
 * each with what it wrote. There are no images in between, and so no ids of them.
 */
export class BuildLines {
  readonly #say: (text: string) => void;
  readonly #waiting = new Map<number, Told>();
  /** Of the step that is being told. */
  #current: number | undefined;
  /** The step that failed, as soon as one has. */
  failed: BuildStep | undefined;

  constructor(say: (text: string) => void) {
    this.#say = say;
  }

  take(event: BuildProgress): void {
    if (event.type === 'WARNING') return this.#say(`[Warning] ${event.at}: ${event.message}\n`);
    if (event.type === 'STEP') return this.#step(event);
    this.#line(event.id, `${event.text}\n`);
  }

  #step(step: BuildStep): void {
    const known = this.#waiting.get(step.id);
    if (known === undefined) {
      this.#waiting.set(step.id, { step, lines: [] });
      if (this.#current === undefined) this.#turnTo(step.id);
      return;
    }
    known.step = step;
    if (step.state === 'Failed') this.failed ??= step;
    if (this.#current === step.id) this.#end(known);
  }

  #line(id: number, text: string): void {
    if (id === this.#current) this.#say(text);
    else this.#waiting.get(id)?.lines.push(text);
  }

  #turnTo(id: number): void {
    const told = this.#waiting.get(id);
    if (told === undefined) return;
    this.#current = id;
    const { place, text } = told.step;
    this.#say(place === undefined ? `# Executing build trigger\n${text}\n` : `Step ${place.number}/${place.count} : ${text}\n`);
    for (const line of told.lines.splice(0)) this.#say(line);
    if (told.step.state !== 'Started') this.#end(told);
  }

  #end({ step }: Told): void {
    if (step.state === 'Cached') this.#say(' ---> Using cache\n');
    this.#waiting.delete(step.id);
    this.#current = undefined;
    const next = this.#waiting.keys().next();
    if (next.done !== true) this.#turnTo(next.value);
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
