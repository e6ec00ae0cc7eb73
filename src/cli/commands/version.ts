import type { Version } from '../../api/v1/types.ts';
import { VERSION } from '../../lib/version.ts';
import { Client, socketOf } from '../client.ts';
import { EXIT } from '../exit.ts';
import { ConnectError } from '../http/request.ts';

const DAEMON_ANSWERS_MS = 1000;

export interface VersionFlags {
  readonly json?: boolean;
  readonly format?: string;
  readonly output?: 'json' | 'yaml';
}

/** `mooring version`: the command's own, and the daemon's where one answers. */
export async function version(out: (text: string) => void, host: string | undefined, { json = false, format, output = json ? 'json' : undefined }: VersionFlags): Promise<number> {
  if (format !== undefined) return formatted(out, host, format);
  const client: Version = { version: VERSION, node: process.version };
  let daemon: Version | null = null;
  try {
    daemon = await new Client(socketOf(host)).get<Version>('/v1/version', AbortSignal.timeout(DAEMON_ANSWERS_MS));
  } catch (error) {
    if (!(error instanceof ConnectError)) throw error;
  }
  if (output !== undefined) out(await (await import('./get.ts')).serialize({ client, daemon }, output));
  else out(`mooring ${client.version} (node ${client.node})\ndaemon  ${daemon === null ? 'does not run' : `${daemon.version} (node ${daemon.node})`}\n`);
  return EXIT.ok;
}

/** As `docker version` has them, so that `{{.Server.Version}}` is what it is there. */
async function formatted(out: (text: string) => void, host: string | undefined, format: string): Promise<number> {
  const [{ DockerClient }, { renderTemplate }] = await Promise.all([import('../docker/docker-client.ts'), import('../template/template.ts')]); // not for who asks plainly, who is not to wait
  const found = { Client: { Version: VERSION, Os: process.platform, Arch: process.arch === 'x64' ? 'amd64' : process.arch }, Server: await new DockerClient(socketOf(host)).get<unknown>('/version') };
  out(format === 'json' ? `${JSON.stringify(found)}\n` : `${renderTemplate(format)(found)}\n`);
  return EXIT.ok;
}
