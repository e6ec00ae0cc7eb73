import { quoted } from '../../lib/text.ts';
import { invalid } from '../invalid.ts';

/** Bytes of `64m`, `1.5gb`, `1GiB`, `1024`: Docker's units, which are powers of 1024. Throws `Invalid`. */
export function dockerBytes(text: string): number {
  const match = /^([0-9]+(?:[.][0-9]+)?) ?([kmgtp]?)i?b?$/i.exec(text);
  if (match === null) throw invalid(`${quoted(text)} is no size`, 'write a number with b, k, m or g behind it: 64m, 1g');
  return Math.floor(Number(match[1]) * 1024 ** ['', 'k', 'm', 'g', 't', 'p'].indexOf(match[2]?.toLowerCase() ?? ''));
}

/** The words of a command line, as a shell divides them by spaces, quotes and backslashes; nothing is expanded. Throws `Invalid`. */
export function shellWords(text: string): string[] {
  const words: string[] = [];
  let word: string | undefined;
  let quote: '"' | "'" | undefined;
  for (let index = 0; index < text.length; index++) {
    const char = text[index] ?? '';
    if (quote === "'") {
      if (char === "'") quote = undefined;
      else word = `${word ?? ''}${char}`;
    } else if (char === '\\') {
      const next = text[++index];
      if (next === undefined) throw invalid(`${quoted(text)} ends with a backslash`);
      const literal = quote === '"' && !['"', '\\', '$', '`'].includes(next);
      word = `${word ?? ''}${literal ? '\\' : ''}${next}`;
    } else if (char === '"' || (char === "'" && quote === undefined)) {
      quote = quote === char ? undefined : char;
      word ??= '';
    } else if (/\s/.test(char) && quote === undefined) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else word = `${word ?? ''}${char}`;
  }
  if (quote !== undefined) throw invalid(`${quoted(text)} lacks a closing ${quote}`);
  return word === undefined ? words : [...words, word];
}
