import { MooringError } from '../../lib/errors.ts';

/** What `--chmod` makes of a mode (its lower twelve bits). */
export type ModeChange = (mode: number, isFolder: boolean) => number;

const WHO: Readonly<Record<string, number>> = { u: 0o4700, g: 0o2070, o: 0o1007 };
const BITS: Readonly<Record<string, number>> = { r: 0o444, w: 0o222, x: 0o111 };

/** Reads `755`, `0644`, `u=rwX,go+r`: octal, or symbolic as chmod(1) has it. Throws `Invalid`. */
export function parseModeChange(text: string): ModeChange {
  if (/^[0-7]{1,4}$/.test(text) || /^0[0-7]{1,4}$/.test(text)) return () => Number.parseInt(text, 8);
  const clauses = text.split(',').map((clause) => parseClause(clause, text));
  return (mode, isFolder) => clauses.reduce((changed, change) => change(changed, isFolder), mode);
}

function parseClause(clause: string, text: string): ModeChange {
  const [, who = '', actions = ''] = /^([ugoa]*)((?:[-+=](?:[rwxXst]*|[ugo]))+)$/.exec(clause) ?? [];
  if (actions === '') throw new MooringError('Invalid', `"${text}" is not a mode`, { fix: 'write it like 755 or u=rwX,go=rX' });
  const mask = who === '' || who.includes('a') ? 0o7777 : who.split('').reduce((bits, each) => bits | (WHO[each] ?? 0), 0);
  const steps = [...actions.matchAll(/([-+=])([rwxXst]*|[ugo])(?=[-+=]|$)/g)];
  return (mode, isFolder) =>
    steps.reduce((changed, [, operator, letters = '']) => {
      const bits = bitsOf(letters, changed, isFolder) & mask;
      if (operator === '+') return changed | bits;
      if (operator === '-') return changed & ~bits;
      return (changed & ~(mask & 0o777)) | bits;
    }, mode);
}

function bitsOf(letters: string, mode: number, isFolder: boolean): number {
  if (/^[ugo]$/.test(letters)) {
    const shift = { u: 6, g: 3, o: 0 }[letters as 'u' | 'g' | 'o'];
    return ((mode >> shift) & 7) * 0o111;
  }
  return letters.split('').reduce((bits, letter) => {
    if (letter === 'X') return isFolder || (mode & 0o111) !== 0 ? bits | 0o111 : bits;
    if (letter === 's') return bits | 0o6000;
    return letter === 't' ? bits | 0o1000 : bits | (BITS[letter] ?? 0);
  }, 0);
}
