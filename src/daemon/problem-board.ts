import type { SpecProblem } from '../spec/problem.ts';

/** The documents that are not accepted at present, and who wants to know when that changes. */
export class ProblemBoard {
  #standing: readonly SpecProblem[] = [];
  readonly #listeners = new Set<() => void>();

  readonly list = (): readonly SpecProblem[] => this.#standing;

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  };

  replace(standing: readonly SpecProblem[]): void {
    this.#standing = standing;
    for (const listener of this.#listeners) listener();
  }
}
