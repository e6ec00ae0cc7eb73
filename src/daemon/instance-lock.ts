import { open, rm, stat } from 'node:fs/promises';
import { errnoOf, MooringError } from '../lib/errors.ts';
import type { Native } from '../native/native.ts';

/** Only root writes here, and a reboot empties it. */
const FOLDER = '/run';

/**
 * Takes an instance's name for this process: two daemons of one name would each collect the other's cgroups, whatever their folders.
 * Throws `Conflict` where another holds it.
 */
export async function lockInstance(instance: string, native: Pick<Native, 'lockFile'>): Promise<AsyncDisposable> {
  const path = `${FOLDER}/mooring-${instance}.lock`;
  for (;;) {
    await using opened = new AsyncDisposableStack();
    const file = opened.use(await open(path, 'a', 0o600));
    if (!native.lockFile(file.fd)) {
      throw new MooringError('Conflict', `a daemon of instance "${instance}" runs on this machine already`, {
        fix: 'stop it first, or give this one its own --instance, --data-dir and --run-dir',
      });
    }
    // Its last holder may have removed the file in between, and somebody else made and locked another one.
    const { ino } = await file.stat();
    if ((await inodeOf(path)) !== ino) continue;
    opened.defer(async () => {
      if ((await inodeOf(path)) === ino) await rm(path, { force: true });
    });
    return opened.move();
  }
}

async function inodeOf(path: string): Promise<number | undefined> {
  try {
    return (await stat(path)).ino;
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}
