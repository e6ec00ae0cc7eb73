import type { Version } from '../../api/v1/types.ts';
import { VERSION } from '../../lib/version.ts';
import { Client, socketOf } from '../client.ts';
import { EXIT } from '../exit.ts';
import { ConnectError } from '../http/request.ts';

const DAEMON_ANSWERS_MS = 1000;

/** `mooring version`: the command's own, and the daemon's where one answers. */
export async function version(out: (text: string) => void, host: string | undefined, json: boolean): Promise<number> {
  const client: Version = { version: VERSION, node: process.version };
  let daemon: Version | null = null;
  try {
    daemon = await new Client(socketOf(host)).get<Version>('/v1/version', AbortSignal.timeout(DAEMON_ANSWERS_MS));
  } catch (error) {
    if (!(error instanceof ConnectError)) throw error;
  }
  if (json) out(`${JSON.stringify({ client, daemon }, null, 2)}\n`);
  else out(`mooring ${client.version} (node ${client.node})\ndaemon  ${daemon === null ? 'does not run' : `${daemon.version} (node ${daemon.node})`}\n`);
  return EXIT.ok;
}
