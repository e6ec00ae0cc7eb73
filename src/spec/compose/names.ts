import { basename, dirname } from 'node:path';
import { quoted } from '../../lib/text.ts';
import { invalid } from '../invalid.ts';
import { DNS_LABEL } from '../kubernetes-names.ts';

const COMPOSE_FILE = /^(?:docker-)?compose\.ya?ml$/;
const OVERRIDE_FILE = /^(?:docker-)?compose\.override\.ya?ml$/;

/** Whether a file of this name is a compose file: `compose.yaml`, `compose.yml`, `docker-compose.yaml` or `docker-compose.yml`. */
export function isComposeFile(name: string): boolean {
  return COMPOSE_FILE.test(basename(name));
}

/** Names of the files that may stand over a compose file. */
export function overridesOf(file: string): string[] {
  const stem = basename(file).replace(/\.ya?ml$/, '');
  return [`${stem}.override.yaml`, `${stem}.override.yml`];
}

/** The compose file that an override file is read with, if it is among the files. */
export function overriddenBy(path: string, files: Iterable<string>): string | undefined {
  if (!OVERRIDE_FILE.test(basename(path))) return undefined;
  return [...files].find((file) => dirname(file) === dirname(path) && isComposeFile(file) && overridesOf(file).includes(basename(path)));
}

/** The project's name that a folder stands for: its own, in lower case and without what a project's name may not hold. */
export function projectNameOf(folder: string): string {
  return basename(folder)
    .toLowerCase()
    .replace(/[^a-z0-9_-]/g, '')
    .replace(/^[_-]+/, '');
}

/** Throws `Invalid` for a name that no project may have. */
export function checkProjectName(name: string): string {
  if (/^[a-z0-9][a-z0-9_-]*$/.test(name)) return name;
  throw invalid(`${quoted(name)} is no project name`, 'use lower-case letters, digits, "-" and "_", beginning with a letter or digit');
}

/**
 * `metadata.name` for a name of compose's, which may hold capitals, `_` and `.`: those become lower case and `-`. Throws `Invalid` where nothing usable is left.
 */
export function resourceNameOf(name: string): string {
  const made = name
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '');
  if (made.length > DNS_LABEL.maxLength) throw invalid(`the name ${quoted(made)} is ${made.length} characters long, at most ${DNS_LABEL.maxLength} are allowed`, 'give a shorter name');
  if (DNS_LABEL.pattern.test(made)) return made;
  throw invalid(`${quoted(name)} holds no letter and no digit to make a name of`);
}
