import { nearest, quoted } from '../lib/text.ts';
import { invalid } from './invalid.ts';

/** Numbers of Linux's signals on x86-64 and arm64 (signal(7)). */
const NUMBERS: Readonly<Record<string, number>> = {
  HUP: 1, INT: 2, QUIT: 3, ILL: 4, TRAP: 5, ABRT: 6, BUS: 7, FPE: 8, KILL: 9, USR1: 10, SEGV: 11,
  USR2: 12, PIPE: 13, ALRM: 14, TERM: 15, STKFLT: 16, CHLD: 17, CONT: 18, STOP: 19, TSTP: 20, TTIN: 21, TTOU: 22,
  URG: 23, XCPU: 24, XFSZ: 25, VTALRM: 26, PROF: 27, WINCH: 28, IO: 29, PWR: 30, SYS: 31,
};
const ALIASES: Readonly<Record<string, string>> = { IOT: 'ABRT', CLD: 'CHLD', POLL: 'IO', UNUSED: 'SYS' };
/** 32 and 33 belong to the C library, so real-time signals begin at 34 for programs. */
const RTMIN = 34;
const RTMAX = 64;
const NAME_OF = new Map(Object.entries(NUMBERS).map(([name, number]) => [number, name]));

export const SIGNAL_PATTERN = /^[A-Za-z0-9+-]+$/;
export const SIGNAL_MAX_LENGTH = 16;
/** Says all that `canonicalSignal` accepts, once the text is in upper case. */
export const SIGNAL_UPPER_PATTERN = `^((SIG)?(${[...Object.keys(NUMBERS), ...Object.keys(ALIASES)].join('|')}|RTMIN([+]([0-9]|[12][0-9]|30))?|RTMAX(-([0-9]|[12][0-9]|30))?)|[1-9]|[12][0-9]|3[014-9]|[45][0-9]|6[0-4])$`;

/** `SIGTERM` for `SIGTERM`, `sigterm`, `TERM` and `15`; `SIGRTMIN+3` for real-time ones, whichever end they were counted from. Throws `Invalid`. */
export function canonicalSignal(text: string): string {
  return nameOf(parseSignal(text));
}

/** The number to give to kill(2). Takes every form that `canonicalSignal` takes. Throws `Invalid`. */
export function parseSignal(text: string): number {
  const upper = text.toUpperCase();
  const name = upper.startsWith('SIG') ? upper.slice(3) : upper;
  const number = NUMBERS[ALIASES[name] ?? name] ?? realTime(name) ?? (/^[1-9][0-9]?$/.test(upper) ? Number(upper) : undefined);
  if (number === undefined || (!NAME_OF.has(number) && (number < RTMIN || number > RTMAX))) throw unknownSignal(text, name);
  return number;
}

function nameOf(number: number): string {
  const name = NAME_OF.get(number);
  if (name !== undefined) return `SIG${name}`;
  return number === RTMIN ? 'SIGRTMIN' : `SIGRTMIN+${number - RTMIN}`;
}

function realTime(name: string): number | undefined {
  const match = /^RT(?:MIN(?:\+([0-9]{1,2}))?|MAX(?:-([0-9]{1,2}))?)$/.exec(name);
  if (match === null) return undefined;
  const number = name.startsWith('RTMIN') ? RTMIN + Number(match[1] ?? 0) : RTMAX - Number(match[2] ?? 0);
  return number >= RTMIN && number <= RTMAX ? number : undefined;
}

function unknownSignal(text: string, name: string): Error {
  const near = nearest(name, Object.keys(NUMBERS));
  return invalid(`${quoted(text)} is not a signal`, near === undefined ? 'write a name such as SIGTERM or SIGRTMIN+3, or a number from 1 to 64' : `did you mean SIG${near}?`);
}
