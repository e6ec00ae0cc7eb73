import { MooringError } from '../../lib/errors.ts';
import type { SpecProblem } from '../problem.ts';
import type { Field } from './field.ts';

/** What is wrong with one field; ends the translation of that field and of no other. */
export class FieldError extends Error {
  readonly field: Field;
  readonly fix: string | undefined;
  readonly onKey: boolean;

  constructor(field: Field, message: string, fix?: string, onKey = false) {
    super(message);
    this.field = field;
    this.fix = fix;
    this.onKey = onKey;
  }
}

const MOST = 100;

/** Gathers the problems of a translation, each once. */
export class ProblemList {
  /** The file that is translated, whichever file a problem stands in. */
  readonly file: string;
  readonly #found = new Map<string, { readonly field: Field; readonly problem: SpecProblem }>();

  constructor(file: string) {
    this.file = file;
  }

  /** Whether nothing stands in the way of taking the document. */
  get good(): boolean {
    return this.#found.values().every(({ problem }) => problem.warning === true);
  }

  fault(field: Field, message: string, fix?: string, onKey = false): void {
    this.#add(field, { file: this.file, at: onKey ? field.keyAt : field.at, field: field.name, message, ...(fix !== undefined && { fix }) });
  }

  /** Tells of what is not done, though the document is accepted. */
  warn(field: Field, message: string, fix?: string, onKey = true): void {
    this.#add(field, { file: this.file, at: onKey ? field.keyAt : field.at, field: field.name, message, ...(fix !== undefined && { fix }), warning: true });
  }

  /** The action's result; what it throws about a field, or about a value without saying which, becomes a problem. */
  attempt<T>(field: Field, action: () => T): T | undefined {
    try {
      return action();
    } catch (error) {
      this.#caught(error, field);
      return undefined;
    }
  }

  /** The same for an action that takes its time. */
  async attemptAsync<T>(field: Field, action: () => Promise<T>): Promise<T | undefined> {
    try {
      return await action();
    } catch (error) {
      this.#caught(error, field);
      return undefined;
    }
  }

  /** In the order of the text, and not more than a person reads. */
  list(): SpecProblem[] {
    const order = (field: Field): string => (field.source.name === this.file ? '' : field.source.name);
    const all = [...this.#found.values()].toSorted((a, b) => (order(a.field) < order(b.field) ? -1 : order(a.field) > order(b.field) ? 1 : a.field.offset - b.field.offset));
    const problems = all.map(({ problem }) => problem);
    const next = problems[MOST];
    return next === undefined ? problems : [...problems.slice(0, MOST), { file: this.file, at: next.at, field: '', message: `and ${problems.length - MOST} more problems from here on` }];
  }

  #caught(error: unknown, field: Field): void {
    if (error instanceof FieldError) this.fault(error.field, error.message, error.fix, error.onKey);
    else if (error instanceof MooringError && error.code === 'Invalid') this.fault(field, error.message, error.fix);
    else throw error;
  }

  #add(field: Field, problem: SpecProblem): void {
    const key = `${problem.at} ${problem.message}`;
    if (!this.#found.has(key)) this.#found.set(key, { field, problem });
  }
}
