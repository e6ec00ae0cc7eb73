import { access } from 'node:fs/promises';
import { errnoOf } from './errors.ts';

/** Whether something is at `path`. What keeps that from being known, such as a missing right, is thrown. */
export async function exists(path: string): Promise<boolean> {
  try {
    await access(path);
    return true;
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return false;
    throw error;
  }
}
