import { posix } from 'node:path';
import { quoted } from '../lib/text.ts';
import { invalid } from './invalid.ts';

/** One component: anything but `.`, `..`, a slash and NUL. */
export const PATH_COMPONENT = '([^./\\x00][^/\\x00]*|[.][^./\\x00][^/\\x00]*|[.][.][^/\\x00]+)';

/** Absolute and clean: no `.`, `..`, empty component or trailing slash. */
export const PATH_PATTERN = new RegExp(`^/(${PATH_COMPONENT}(/${PATH_COMPONENT})*)?$`);
/** PATH_MAX without its NUL. */
export const PATH_MAX_LENGTH = 4095;

/** Throws `Invalid` unless `text` is an absolute clean path; gives it back. */
export function parsePath(text: string): string {
  if (text.length > PATH_MAX_LENGTH) throw invalid(`is ${text.length} characters long, at most ${PATH_MAX_LENGTH} are allowed`);
  if (PATH_PATTERN.test(text)) return text;
  if (text.includes('\0')) throw invalid(`${quoted(text)} holds a NUL character`);
  if (!text.startsWith('/')) throw invalid(`${quoted(text)} is not an absolute path`, 'begin it with /');
  if (text.split('/').includes('..')) throw invalid(`${quoted(text)} holds "..", which may lead elsewhere`, 'write where it leads');
  const clean = posix.normalize(text).replace(/(?<=.)\/$/, '');
  throw invalid(`${quoted(text)} is not a clean path`, `write ${clean}`);
}
