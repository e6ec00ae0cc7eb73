import { MooringError } from '../../lib/errors.ts';
import { badFlag } from './bad-flag.ts';
import type { Surroundings } from './surroundings.ts';

const BOM = '\uFEFF';

/**
 * `NAME=VALUE` a line, as Docker reads --env-file and --label-file: what begins with # is a comment, nothing is quoted, blanks before a name are passed over. A name alone
 * stands for the variable of the environment, and for nothing where that has none, as a label's does.
 */
export function readPairs(flag: '--env-file' | '--label-file', path: string, { readFile, environment }: Surroundings): string[] {
  return textOf(flag, path, readFile).split(/\r?\n/).flatMap((line, index) => {
    const given = line.trimStart();
    if (given === '' || given.startsWith('#')) return [];
    const at = `${path}:${index + 1}`;
    const equals = given.indexOf('=');
    const name = equals < 0 ? given : given.slice(0, equals);
    if (name === '') throw new MooringError('Invalid', `${flag}: there is no name before the =`, { at });
    if (/\s/.test(name)) throw new MooringError('Invalid', `${flag}: the name "${name}" has blanks in it`, { at });
    if (equals >= 0) return [given];
    const value = flag === '--label-file' ? undefined : environment[name];
    return value === undefined ? [] : [`${name}=${value}`];
  });
}

/** `--env NAME=VALUE` as it is; `--env NAME` with the environment's value, or, where it has none, the name alone, which takes the image's away. */
export function variableOf(text: string, { environment }: Surroundings): string {
  if (text === '' || text.startsWith('=')) throw badFlag('--env', text, 'names no variable', 'write NAME=VALUE, or NAME for that of the environment');
  if (text.includes('=')) return text;
  const value = environment[text];
  return value === undefined ? text : `${text}=${value}`;
}

/** Names with what stands behind the first `=`; of the same name the last counts. */
export function mapOf(texts: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    texts.map((text) => {
      const equals = text.indexOf('=');
      return equals < 0 ? [text, ''] : [text.slice(0, equals), text.slice(equals + 1)];
    }),
  );
}

function textOf(flag: string, path: string, readFile: Surroundings['readFile']): string {
  const bytes = readFlagFile(flag, path, readFile);
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes).replace(BOM, '');
  } catch (cause) {
    throw new MooringError('Invalid', `${flag} "${path}": the file is not UTF-8`, { cause });
  }
}

/** The bytes of a file that a flag names. */
export function readFlagFile(flag: string, path: string, readFile: Surroundings['readFile']): Buffer {
  try {
    return readFile(path);
  } catch (cause) {
    throw new MooringError('Invalid', `${flag} "${path}": the file can't be read`, { cause });
  }
}
