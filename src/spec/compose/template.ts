import { quoted } from '../../lib/text.ts';
import { invalid } from '../invalid.ts';

export type Lookup = (variable: string) => string | undefined;

const NAME = /^[A-Za-z_][A-Za-z0-9_]*/;
const OPERATOR = /^:?[-?+]/;

/**
 * A text with its variables replaced, in all forms of the Compose specification: `$X`, `${X}`, `${X:-default}`, `${X-default}`, `${X:?why}`,
 * `${X?why}`, `${X:+other}`, `${X+other}`, one within the other, and `$$` for a dollar sign. Throws `Invalid`.
 *
 * @param onUnset Told of each variable that is not set and stands without a default; it counts as empty.
 */
export function expandTemplate(text: string, lookup: Lookup, onUnset: (variable: string) => void): string {
  let result = '';
  let rest = text;
  for (let at = rest.indexOf('$'); at >= 0; at = rest.indexOf('$')) {
    result += rest.slice(0, at);
    const behind = rest.slice(at + 1);
    if (behind.startsWith('$')) {
      result += '$';
      rest = behind.slice(1);
    } else if (behind.startsWith('{')) {
      const end = closingBrace(behind);
      if (end < 0) throw invalid(`${quoted(text)} lacks the } of a variable`, 'write ${NAME}; a dollar sign itself is $$');
      result += braced(behind.slice(1, end), text, lookup, onUnset);
      rest = behind.slice(end + 1);
    } else {
      const name = NAME.exec(behind)?.[0];
      if (name === undefined) throw invalid(`${quoted(text)} has a $ with no variable behind it`, 'write $$ for a dollar sign');
      result += valueOf(name, lookup, onUnset);
      rest = behind.slice(name.length);
    }
  }
  return result + rest;
}

function braced(inner: string, text: string, lookup: Lookup, onUnset: (variable: string) => void): string {
  const name = NAME.exec(inner)?.[0];
  const operator = OPERATOR.exec(inner.slice(name?.length))?.[0];
  if (name === undefined || (operator === undefined && inner !== name)) throw invalid(`${quoted(text)} holds \${${inner}}, which is no variable`, 'write ${NAME}, or ${NAME:-default}; a dollar sign itself is $$');
  if (operator === undefined) return valueOf(name, lookup, onUnset);
  const value = lookup(name);
  const given = operator.startsWith(':') ? value !== undefined && value !== '' : value !== undefined;
  const word = (): string => expandTemplate(inner.slice(name.length + operator.length), lookup, onUnset);
  if (operator.endsWith('+')) return given ? word() : '';
  if (given) return value ?? '';
  if (operator.endsWith('-')) return word();
  const why = word();
  throw invalid(`the variable ${name} is required${why === '' ? '' : `: ${why}`}`, 'set it in .env beside the file');
}

function valueOf(name: string, lookup: Lookup, onUnset: (variable: string) => void): string {
  const value = lookup(name);
  if (value === undefined) onUnset(name);
  return value ?? '';
}

/** The place of the brace that closes the one at the text's begin; -1 where there is none. */
function closingBrace(text: string): number {
  let depth = 0;
  for (let index = 0; index < text.length; index++) {
    if (text[index] === '{' && (index === 0 || text[index - 1] === '$')) depth++;
    else if (text[index] === '}' && --depth === 0) return index;
  }
  return -1;
}
