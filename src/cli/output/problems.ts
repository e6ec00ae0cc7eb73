import type { SpecProblem } from '../../api/v1/types.ts';
import type { Style } from './style.ts';
import { printable } from './table.ts';

/** One line a problem, and one with its fix: `web.yaml:7:13: spec.resources.memory: "64mb" is no quantity`. */
export function problemLines(problems: readonly Pick<SpecProblem, 'at' | 'field' | 'message' | 'fix'>[], style: Style): string[] {
  return problems.flatMap(({ at, field, message, fix }) => {
    const where = field === '' ? at : `${at}: ${field}`;
    return [`${style.red('error')} ${style.bold(where)}: ${printable(message)}`, ...(fix === undefined ? [] : [`  fix: ${printable(fix)}`])];
  });
}

/** What `get` and `ps` say below their table when documents were not accepted. */
export function problemFooter(problems: readonly SpecProblem[], style: Style): string {
  if (problems.length === 0) return '';
  const count = problems.length === 1 ? '1 document is' : `${problems.length} problems in documents that are`;
  return ['', style.yellow(`${count} not accepted; what ran before goes on running:`), ...problemLines(problems, style), ''].join('\n');
}
