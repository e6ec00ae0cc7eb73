import dockerignore from '@balena/dockerignore';

import { MooringError } from '../../lib/errors.ts';

/** Which paths of a build context are left out. Paths are relative, without a leading slash. */
export interface IgnoreRules {
  ignores(path: string): boolean;
  /** Whether something below an ignored folder may be let in again: then the folder has to be looked through. */
  readonly hasExceptions: boolean;
}

export const IGNORE_NOTHING: IgnoreRules = { ignores: () => false, hasExceptions: false };

/**
 * The rules of a `.dockerignore`. The package follows Docker's matcher but in three things, which are mended here: it takes no heed of case unless told so;
 * `+ ( ) { } |` come through to its regular expressions; and its cache, a plain object, knows `constructor` and the like from the start.
 * Throws `Invalid` with the line of a malformed pattern.
 */
export function parseIgnoreFile(content: string, file: string): IgnoreRules {
  const rules = dockerignore.default({ ignorecase: false });
  const lines = content.replace(/^\uFEFF/, '').split(/\r?\n/);
  for (const [index, line] of lines.entries()) {
    const pattern = line.replace(/(?<!\\)[+(){}|]/g, '\\$&');
    try {
      dockerignore.default({ ignorecase: false }).add(pattern).ignores('a'); // compiles it
    } catch (cause) {
      throw new MooringError('Invalid', `${JSON.stringify(line)} is a malformed pattern`, { at: `${file}:${index + 1}:1`, cause });
    }
    rules.add(pattern);
  }
  Reflect.set(rules, '_cache', Object.create(null));
  const hasExceptions = lines.some((line) => line.trim().startsWith('!'));
  return { ignores: (path) => rules.ignores(path), hasExceptions };
}
