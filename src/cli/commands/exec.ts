import type { ExecReply, ExecRequest } from '../../api/v1/types.ts';
import { MooringError } from '../../lib/errors.ts';
import type { Client } from '../client.ts';
import { DetachKeys } from '../../lib/detach-keys.ts';
import { EXIT } from '../exit.ts';
import type { Io } from '../io.ts';
import { findContainer } from '../find-container.ts';
import { containerPath } from '../name.ts';
import { readPairs, variableOf } from '../run/key-value-files.ts';
import { ownSurroundings } from '../run/surroundings.ts';
import { runSession } from '../session.ts';

export interface ExecOptions {
  readonly namespace: string;
  readonly interactive?: boolean;
  readonly tty?: boolean;
  readonly detach?: boolean;
  readonly env?: readonly string[];
  readonly envFile?: readonly string[];
  readonly privileged?: boolean;
  readonly workdir?: string;
  readonly user?: string;
  readonly detachKeys: string;
}

/** `mooring exec NAME COMMAND…`: one more process in a running container. Exits as that does. */
export async function exec(client: Client, io: Io, word: string, command: readonly string[], options: ExecOptions): Promise<number> {
  const { interactive: stdin = false, tty = false, detach = false, env = [], workdir, user } = options;
  const detachKeys = new DetachKeys(options.detachKeys);
  const here = ownSurroundings();
  const given = [...(options.envFile ?? []).flatMap((file) => readPairs('--env-file', file, here)), ...env.map((text) => variableOf(text, here))];
  const container = await findContainer(client, word, options.namespace);
  if (options.privileged === true && !container.spec.privileged) throw new MooringError('Unsupported', '--privileged: what a container may is fixed when it is made', { fix: 'run the container with --privileged' });
  const path = `${containerPath(container.metadata)}/exec`;
  const variables = given.flatMap(variable);
  const request: ExecRequest = { command, tty, stdin: stdin && !detach, detach, env: variables, ...(workdir !== undefined && { workingDir: workdir }), ...(user !== undefined && { user }) };
  const reply = await client.send<ExecReply>(path, request);
  if ('exitCode' in reply) {
    io.err(`mooring: ${reply.message}\n`);
    return reply.exitCode;
  }
  if (detach) return EXIT.ok;
  const end = await runSession(await client.attach(`${path}/${reply.id}/attach`), { stdin, detachKeys });
  if (end !== 'detached') return end.exitCode;
  io.err(`\ndetached from ${command[0]}, which runs on\n`);
  return EXIT.ok;
}

/** One without a value is none. */
function variable(text: string): { name: string; value: string }[] {
  const equals = text.indexOf('=');
  return equals < 0 ? [] : [{ name: text.slice(0, equals), value: text.slice(equals + 1) }];
}
