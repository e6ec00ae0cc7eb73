import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { FilesBody } from '../api/v1/types.ts';
import { errnoOf, MooringError } from '../lib/errors.ts';
import { isComposeFile, overriddenBy } from '../spec/compose/names.ts';
import type { Io } from './io.ts';
import { translated } from './translate.ts';

const DOCUMENT = /^[^.].*\.(?:ya?ml|json)$/;

type File = FilesBody['files'][number];

/**
 * What `-f` names, to be sent to the daemon, which parses it with its own rules. Compose files are sent as what they become: what they name lies here, and
 * relative paths in them begin here.
 */
export async function readDocuments(paths: readonly string[], io: Io): Promise<FilesBody> {
  const files = await filesOf(paths, () => io.readStdin());
  return { files: await Promise.all(files.map(async (file) => (isComposeFile(file.name) ? { ...file, text: (await translated(file.name, file.text, io)).map((one) => JSON.stringify(one)).join('\n---\n') } : file))) };
}

/** The texts that `-f` names: a file, standard input (`-`), or a folder at any depth, where it takes `*.yaml`, `*.yml` and `*.json` and no dotfile, as the daemon does. */
export async function filesOf(paths: readonly string[], readStdin: () => Promise<string>): Promise<File[]> {
  const files: File[] = [];
  for (const path of paths) {
    if (path === '-') files.push({ name: 'stdin', text: await readStdin() });
    else for (const name of await filesBelow(path)) files.push({ name, text: await readFile(name, 'utf8') });
  }
  return files;
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
  // An override file is read with the compose file beside it.
  return files.filter((file) => overriddenBy(file, files) === undefined);
}
