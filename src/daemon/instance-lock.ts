import { open } from 'node:fs/promises';
import { MooringError } from '../lib/errors.ts';
import type { Native } from '../native/native.ts';

/** Only root writes here, and a reboot empties it. The file stays: were it removed, one who had opened it before would lock what nobody sees. */
const FOLDER = '/run';

/**
 * Takes an instance's name for this process: two daemons of one name would each collect the other's cgroups, whatever their folders.
 * Throws `Conflict` where another holds it.
 */
export async function lockInstance(instance: string, native: Pick<Native, 'lockFile'>): Promise<AsyncDisposable> {
  const file = await open(`${FOLDER}/mooring-${instance}.lock`, 'a', 0o600);
  if (native.lockFile(file.fd)) return file;
  await file.close();
  throw new MooringError('Conflict', `a daemon of instance "${instance}" runs on this machine already`, {
    fix: 'stop it first, or give this one its own --instance, --data-dir and --run-dir',
  });
}
