import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { FilesBody } from '../api/v1/types.ts';
import { errnoOf, MooringError } from '../lib/errors.ts';

const DOCUMENT = /^[^.].*\.(?:ya?ml|json)$/;

/**
 * Reads what `-f` names: a file, standard input (`-`), or a folder at any depth, where it takes `*.yaml`, `*.yml` and `*.json` and no dotfile,
 * as the daemon does. Parses nothing: the daemon does, with its own rules.
 */
export async function readDocuments(paths: readonly string[], readStdin: () => Promise<string>): Promise<FilesBody> {
  const files: { name: string; text: string }[] = [];
  for (const path of paths) {
    if (path === '-') files.push({ name: 'stdin', text: await readStdin() });
    else for (const name of await filesBelow(path)) files.push({ name, text: await readFile(name, 'utf8') });
  }
  return { files };
}

async function filesBelow(path: string): Promise<string[]> {
  const found = await stat(path).catch((error: unknown) => {
    throw new MooringError('Invalid', `can't read ${path}: ${errnoOf(error) === 'ENOENT' ? 'no such file or folder' : String(error)}`);
  });
  if (!found.isDirectory()) return [path];
  const entries = await readdir(path, { recursive: true, withFileTypes: true });
  const files = entries
    .filter((entry) => !entry.isDirectory() && DOCUMENT.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((file) => !file.slice(path.length).split('/').some((part) => part.startsWith('.') && part !== '.'))
    .toSorted();
  if (files.length === 0) throw new MooringError('Invalid', `no *.yaml, *.yml or *.json below ${path}`);
  return files;
}
