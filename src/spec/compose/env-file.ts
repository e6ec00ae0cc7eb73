import { messageOf } from '../../lib/errors.ts';
import { quoted } from '../../lib/text.ts';
import { expandTemplate, type Lookup } from './template.ts';

/** What is wrong with a line of an environment file. */
export interface EnvFault {
  /** From 1. */
  readonly line: number;
  readonly message: string;
}

export interface EnvFile {
  readonly variables: ReadonlyMap<string, string>;
  readonly faults: readonly EnvFault[];
}

const ASSIGNMENT = /^[ \t]*(?:export[ \t]+)?([A-Za-z_][A-Za-z0-9_.-]*)[ \t]*(?:([=:])[ \t]*|$)/;

/**
 * The variables of a `.env` or an `env_file`: `NAME=value` lines with `#` comments. Single quotes keep all as it stands, over lines too; double quotes
 * know `\n`, `\r`, `\t`, `\"`, `\\` and `\$`. What is not in single quotes has its variables replaced, by earlier ones of the file or by `lookup`.
 * A name alone has the value that `lookup` gives it, or is not set.
 *
 * @param raw Takes every value as it stands, as `format: raw` does.
 */
export function parseEnvFile(text: string, lookup: Lookup, raw = false): EnvFile {
  const variables = new Map<string, string>();
  const faults: EnvFault[] = [];
  const find: Lookup = (name) => variables.get(name) ?? lookup(name);
  const lines = text.replace(/^\uFEFF/, '').split(/\r?\n/);
  for (let index = 0; index < lines.length; index++) {
    const line = lines[index] ?? '';
    const start = index + 1;
    if (/^[ \t]*(#|$)/.test(line)) continue;
    const [whole = '', name, divider] = ASSIGNMENT.exec(line) ?? [];
    if (name === undefined) {
      faults.push({ line: start, message: `${quoted(line.trim())} is no NAME=value` });
      continue;
    }
    let value: string | undefined = line.slice(whole.length);
    const quote = !raw && /^["']/.test(value) ? value.charAt(0) : undefined;
    if (quote !== undefined) while (closing(value, quote) < 0 && index + 1 < lines.length) value += `\n${lines[++index] ?? ''}`;
    try {
      value = divider === undefined ? lookup(name) : raw ? value : quote === undefined ? plain(value, find) : unquoted(name, value, quote, find);
      if (value !== undefined) variables.set(name, value);
    } catch (error) {
      faults.push({ line: start, message: messageOf(error) });
    }
  }
  return { variables, faults };
}

function plain(value: string, lookup: Lookup): string {
  return expandTemplate(value.replace(/(^|[ \t]+)#.*$/, '').trim(), lookup, () => {});
}

const ESCAPES: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', $: '$$' };

function unquoted(name: string, value: string, quote: string, lookup: Lookup): string {
  const end = closing(value, quote);
  if (end < 0) throw new Error(`${name} lacks its closing ${quote}`);
  const body = value.slice(1, end);
  if (quote === "'") return body;
  return expandTemplate(body.replace(/\\([nrt"\\$])/g, (_, char: string) => ESCAPES[char] ?? char), lookup, () => {});
}

/** The place of the quote that closes the one at the text's begin; -1 where there is none. */
function closing(text: string, quote: string): number {
  for (let index = 1; index < text.length; index++) {
    if (quote === '"' && text[index] === '\\') index++;
    else if (text[index] === quote) return index;
  }
  return -1;
}
