import type { TakeDownFlags } from '../../api/v1/daemon-module.ts';
import type { DownProgress } from '../../api/v1/types.ts';
import type { Client } from '../client.ts';
import { EXIT } from '../exit.ts';
import { ConnectError } from '../http/request.ts';
import type { Io } from '../io.ts';
import { loadDaemon } from '../load-daemon.ts';

/** `mooring down`: removes every container of the instance and ends its daemon; without a daemon does the removing itself. */
export async function down(client: Client, io: Io, flags: TakeDownFlags): Promise<number> {
  let failed = 0;
  const report = (progress: DownProgress): void => {
    if (progress.type === 'REMOVED') io.out(`${progress.name} removed\n`);
    else if (progress.type === 'FAILED') io.err(`${progress.name} NOT removed: ${progress.message}\n`);
    else {
      failed = progress.failed;
      io.out(progress.removed + progress.failed === 0 ? 'Nothing to take down.\n' : `${progress.removed} removed${failed === 0 ? '' : `, ${failed} failed`}.\n`);
    }
  };
  try {
    let done = false;
    for await (const progress of client.lines<DownProgress>('POST', '/v1/down')) {
      report(progress);
      done = progress.type === 'DONE';
    }
    if (!done) throw new Error('the daemon ended before everything was taken down; run "mooring down" again');
  } catch (error) {
    if (!(error instanceof ConnectError)) throw error;
    await (await loadDaemon()).takeDownWithoutDaemon(flags, report);
  }
  return failed === 0 ? EXIT.ok : EXIT.failure;
}
