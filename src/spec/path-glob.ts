import { posix } from 'node:path';
import { quoted } from '../lib/text.ts';
import { invalid } from './invalid.ts';
import { PATH_COMPONENT, PATH_MAX_LENGTH } from './path.ts';

/** An absolute clean path, or one with `*`, `?` and `**` in it. */
export const PATH_GLOB_PATTERN = new RegExp(`^/${PATH_COMPONENT}(/${PATH_COMPONENT})*$`);

/** Throws `Invalid` unless `text` is a pattern of absolute paths; gives it back. */
export function parsePathGlob(text: string): string {
  if (text.length > PATH_MAX_LENGTH) throw invalid(`is ${text.length} characters long, at most ${PATH_MAX_LENGTH} are allowed`);
  if (PATH_GLOB_PATTERN.test(text)) return text;
  if (text.includes('\0')) throw invalid(`${quoted(text)} holds a NUL character`);
  if (!text.startsWith('/')) throw invalid(`${quoted(text)} is not a pattern of absolute paths`, 'begin it with /');
  if (text === '/') throw invalid('"/" would allow every path', 'leave files out, or set its policy to Ignore');
  if (text.split('/').includes('..')) throw invalid(`${quoted(text)} holds "..", which may lead elsewhere`, 'write where it leads');
  throw invalid(`${quoted(text)} is not a clean path`, `write ${posix.normalize(text).replace(/\/$/, '')}`);
}

/** Whether a path is allowed by one of the patterns: it matches, or a folder that it is in does. `*` and `?` stay within one name, `**` does not. */
export function pathGlobs(patterns: readonly string[]): (path: string) => boolean {
  if (patterns.length === 0) return () => false;
  const pattern = new RegExp(`^(?:${patterns.map(sourceOf).join('|')})(?:/.*)?$`, 's');
  return (path) => pattern.test(path);
}

/** Whether a path is a folder that one of the patterns lies in, so that it has to be there for what is allowed. */
export function leadsToGlob(patterns: readonly string[], path: string): boolean {
  return patterns.some((pattern) => pattern.replace(/[*?].*$/s, '').startsWith(`${path}/`));
}

/** The folder that a pattern allows everything in, where it names one; undefined where only the names that come to be can tell. */
export function wholeFolder(pattern: string): string | undefined {
  const folder = pattern.replace(/\/\*\*$/, '');
  return folder === '' || /[*?]/.test(folder) ? undefined : folder;
}

/** A folder with all that is in it is allowed by its own path. */
function sourceOf(pattern: string): string {
  return pattern.replace(/(?<=.)(\/\*\*)+$/, '').replace(/\/\*\*\/|\*\*|[*?]|[\\^$.+()[\]{}|]/g, (token) => {
    if (token === '/**/') return '/(?:.*/)?';
    if (token === '**') return '.*';
    if (token === '*') return '[^/]*';
    return token === '?' ? '[^/]' : `\\${token}`;
  });
}
