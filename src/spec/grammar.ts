import { z } from 'zod';
import { quoted } from '../lib/text.ts';
import { checkedBy } from './check.ts';
import { invalid } from './invalid.ts';

/** A grammar that one regular expression says whole. The expression must mean the same in ECMAScript and in Go's RE2. */
export interface Grammar {
  readonly pattern: RegExp;
  /** In characters. */
  readonly maxLength: number;
  /** What a value is, after "is not": `a DNS-1123 label (…)`. */
  readonly what: string;
}

/** Throws `Invalid` unless `text` follows the grammar; gives it back. */
export function matching(grammar: Grammar, text: string): string {
  if (text.length > grammar.maxLength) throw invalid(`is ${text.length} characters long, at most ${grammar.maxLength} are allowed`);
  if (!grammar.pattern.test(text)) throw invalid(`${quoted(text)} is not ${grammar.what}`);
  return text;
}

/** A string schema whose JSON Schema says the grammar's pattern and whose errors say its words. */
export function grammarString(grammar: Grammar): z.ZodString {
  return z
    .string()
    .max(grammar.maxLength)
    .check(checkedBy((text) => matching(grammar, text)))
    .meta({ pattern: grammar.pattern.source });
}

/** Text handed to the kernel as a C string; 131071 bytes is the longest argument or variable that execve(2) takes. */
// eslint-disable-next-line no-control-regex -- NUL is what it looks for
const KERNEL_TEXT: Grammar = { pattern: /^[^\x00]*$/, maxLength: 131_071, what: 'usable: it holds a NUL character, which ends a string for the kernel' };

/** An argument, a variable's value: any text without NUL that execve(2) takes. */
export function kernelText(): z.ZodString {
  return grammarString(KERNEL_TEXT);
}
