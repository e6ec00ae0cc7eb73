import type { SpecProblem } from '../../spec/problem.ts';

/** What is wrong with a file or folder as a whole. */
export function treeProblem(path: string, message: string, fix: string): SpecProblem {
  return { file: path, at: path, field: '', message, fix };
}
