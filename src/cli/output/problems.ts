import type { SpecProblem } from '../../api/v1/types.ts';
import type { Style } from './style.ts';
import { printable } from './table.ts';

/** One line a problem, and one with its fix: `web.yaml:7:13: spec.resources.memory: "64mb" is no quantity`. */
export function problemLines(problems: readonly Pick<SpecProblem, 'at' | 'field' | 'message' | 'fix' | 'warning'>[], style: Style): string[] {
  return problems.flatMap(({ at, field, message, fix, warning }) => {
    const where = field === '' ? at : `${at}: ${field}`;
    return [`${warning === true ? style.yellow('warning') : style.red('error')} ${style.bold(where)}: ${printable(message)}`, ...(fix === undefined ? [] : [`  fix: ${printable(fix)}`])];
  });
}

/** What `get` and `ps` say below their table when documents were not accepted, or not all of them is done. */
export function problemFooter(problems: readonly SpecProblem[], style: Style): string {
  const rejected = problems.filter(({ warning }) => warning !== true);
  const warnings = problems.filter(({ warning }) => warning === true);
  const count = rejected.length === 1 ? '1 document is' : `${rejected.length} problems in documents that are`;
  return [
    ...(rejected.length === 0 ? [] : ['', style.yellow(`${count} not accepted; what ran before goes on running:`), ...problemLines(rejected, style), '']),
    ...(warnings.length === 0 ? [] : ['', style.yellow('Accepted, but not done:'), ...problemLines(warnings, style), '']),
  ].join('\n');
}
