import path from 'node:path';

import { MooringError } from '../../lib/errors.ts';

/** One end of a copy. */
export interface CopyEnd {
  /** As it was given, with what is behind its last name: `/etc/`, `/etc/.`. */
  readonly path: string;
  readonly exists: boolean;
  /** A folder, the last link followed. */
  readonly isFolder: boolean;
}

/** Where an archive is to be unpacked, and what the thing that is copied is called in it: `.` where only what is in it is meant. */
export interface CopyPlan {
  readonly folder: string;
  readonly name: string;
}

/** Whether a path asks for a folder. */
export function assertsFolder(text: string): boolean {
  return text.endsWith('/') || text.endsWith('/.') || text === '.' || text.endsWith('/..') || text === '..';
}

/** The folder of a path, and its last name; `.` where the path ends so. */
export function splitEntry(text: string): { readonly folder: string; readonly name: string } {
  const clean = path.posix.normalize(text).replace(/(?<=.)\/+$/, '');
  if (text === '.' || text.endsWith('/.')) return { folder: clean, name: '.' };
  return { folder: path.posix.dirname(clean), name: clean === '/' ? '.' : path.posix.basename(clean) };
}

/**
 * "docker cp"'s rules. `name` is what a copied thing keeps where nothing renames it. Throws `Invalid` where a folder would have to become a file, or the
 * other way round.
 */
export function planCopy(source: { readonly isFolder: boolean; readonly name: string }, destination: CopyEnd): CopyPlan {
  if (destination.exists && destination.isFolder) return { folder: destination.path, name: source.name };
  if (destination.exists && source.isFolder) throw new MooringError('Invalid', `${destination.path} is a file, and a folder can't be copied onto one`);
  if (destination.exists && assertsFolder(destination.path)) throw new MooringError('Invalid', `${destination.path} is no folder`);
  if (!destination.exists && !source.isFolder && assertsFolder(destination.path)) throw new MooringError('Invalid', `there is no folder ${destination.path}`, { fix: 'make it first, or leave the slash away to give the copy that name' });
  return splitEntry(destination.path);
}

/** The two sides of "SOURCE DESTINATION". */
export type CopyPlace = { readonly kind: 'container'; readonly container: string; readonly path: string } | LocalPlace;

/** What is not in a container. */
export type LocalPlace = { readonly kind: 'local'; readonly path: string } | { readonly kind: 'stream' };

/** `NAME:PATH`, `NAMESPACE/NAME:PATH`, `-`, or a path of this machine; one that has a colon begins with `/` or `.`. */
export function parsePlace(text: string): CopyPlace {
  if (text === '-') return { kind: 'stream' };
  const colon = text.indexOf(':');
  if (text.startsWith('/') || text.startsWith('.') || colon < 1) return { kind: 'local', path: text };
  const rest = text.slice(colon + 1);
  return { kind: 'container', container: text.slice(0, colon), path: rest.startsWith('/') ? rest : `/${rest}` };
}
