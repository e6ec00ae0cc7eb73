import { readFileSync } from 'node:fs';

/** What flags refer to beyond themselves. */
export interface Surroundings {
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** The folder that relative paths start from. */
  readonly folder: string;
  /** A file's bytes; throws what fs does. */
  readonly readFile: (path: string) => Buffer;
}

/** Those of this process. */
export function ownSurroundings(): Surroundings {
  return { environment: process.env, folder: process.cwd(), readFile: (path) => readFileSync(path) };
}
