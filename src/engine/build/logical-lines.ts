import { MooringError } from '../../lib/errors.ts';
import type { Heredoc } from './instruction.ts';
import { quotedWords } from './words.ts';

/**
 * A Dockerfile made fit for `dockerfile-ast`, which reads it as an editor does, with positions kept. Where the package differs from the reference:
 * - It finds a here-document only where `<<` begins an argument, also within quotes, and never behind a descriptor's number; one `-` cuts the tabs of all.
 *   So their bodies are blanked out and `<<` is masked.
 * - It takes two escape characters at the end of a line for a continuation, the reference only a single one. So the second is masked.
 * - It joins indented comments within an instruction to its arguments, and ends a flag at a blank within quotes. So the joined lines are taken from here.
 */
export interface LogicalLines {
  readonly text: string;
  /** By the line (from 0) on which the instruction begins. */
  readonly lines: ReadonlyMap<number, LogicalLine>;
}

/** An instruction on one line, without comments, and the here-documents behind it. */
export interface LogicalLine {
  readonly text: string;
  readonly heredocs: readonly Heredoc[];
}

// Of Unicode's private use area: the package takes them for parts of words.
const ANGLES = '\uE0F0\uE0F1';
const ESCAPE = '\uE0F2';

/** Throws `Invalid` for a here-document without an end. */
export function logicalLines(text: string, escape: string, file: string): LogicalLines {
  const found = new Map<number, LogicalLine>();
  const lines = text.split('\n');
  const goesOn = new RegExp(`(^|[^\\${escape}])\\${escape}[ \\t]*$`);
  const isDoubled = new RegExp(`\\${escape}\\${escape}[ \\t]*$`);
  for (let index = 0; index < lines.length; index++) {
    if (isNothing(lines[index])) continue;
    const first = index;
    let logical = '';
    for (; index < lines.length; index++) {
      const line = lines[index] ?? '';
      if (isNothing(line)) continue;
      if (isDoubled.test(line)) lines[index] = line.replace(isDoubled, (end) => `${escape}${ESCAPE}${end.slice(2)}`);
      logical += line.replace(goesOn, '$1');
      if (!goesOn.test(line)) break;
    }
    const heredocs: Heredoc[] = [];
    for (const { chomp, ...announced } of announcedIn(logical, escape)) {
      const begin = index + 1;
      const cut = (line: string): string => (chomp ? line.replace(/^\t+/, '') : line);
      let end = begin;
      while (end < lines.length && cut(lines[end] ?? '') !== announced.name) end++;
      if (end === lines.length) throw new MooringError('Invalid', `the here-document ${announced.word} has no end`, { at: `${file}:${first + 1}:1`, fix: `end it with a line that is ${announced.name} alone` });
      heredocs.push({ ...announced, content: lines.slice(begin, end).map((line) => `${cut(line)}\n`).join('') });
      for (let line = begin; line <= end; line++) lines[line] = '';
      index = end;
    }
    found.set(first, { text: logical.trim(), heredocs });
  }
  return { text: lines.join('\n').replaceAll('<<', ANGLES), lines: found };
}

function isNothing(line: string | undefined): boolean {
  return /^\s*(#|$)/.test(line ?? '');
}

/** The here-documents that an instruction announces (Dockerfile reference, "Here-Documents"), in their order. */
function announcedIn(line: string, escape: string): (Omit<Heredoc, 'content'> & { readonly chomp: boolean })[] {
  if (!/^\s*(?:ONBUILD\s+)?(?:RUN|COPY|ADD)\s/i.test(line)) return [];
  return quotedWords(line, escape).flatMap((word) => {
    const [, chomp, rest = ''] = /^[0-9]*<<(-?)([^<]+)$/.exec(word) ?? [];
    const name = rest.replace(/^(["'])(.*)\1$/, '$2');
    return name === '' || /["'\s]/.test(name) ? [] : [{ name, word, expands: name === rest, chomp: chomp === '-' }];
  });
}
