import type { ExecReply, ExecRequest } from '../../api/v1/types.ts';
import { MooringError } from '../../lib/errors.ts';
import type { Client } from '../client.ts';
import { DetachKeys } from '../../lib/detach-keys.ts';
import { EXIT } from '../exit.ts';
import type { Io } from '../io.ts';
import { containerPath, parseName } from '../name.ts';
import { runSession } from '../session.ts';

export interface ExecOptions {
  readonly namespace: string;
  readonly interactive?: boolean;
  readonly tty?: boolean;
  readonly detach?: boolean;
  readonly env?: readonly string[];
  readonly workdir?: string;
  readonly user?: string;
  readonly detachKeys: string;
}

/** `mooring exec NAME COMMAND…`: one more process in a running container. Exits as that does. */
export async function exec(client: Client, io: Io, word: string, command: readonly string[], options: ExecOptions): Promise<number> {
  const { interactive: stdin = false, tty = false, detach = false, env = [], workdir, user } = options;
  const detachKeys = new DetachKeys(options.detachKeys);
  const path = `${containerPath(parseName(word, options.namespace))}/exec`;
  const variables = env.map(variable);
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

function variable(text: string): { name: string; value: string } {
  const equals = text.indexOf('=');
  if (equals > 0) return { name: text.slice(0, equals), value: text.slice(equals + 1) };
  throw new MooringError('Invalid', `--env "${text}" sets nothing`, { fix: 'write NAME=VALUE' });
}
