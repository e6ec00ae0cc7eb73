import type { Client } from '../client.ts';
import { DetachKeys } from '../detach-keys.ts';
import { EXIT } from '../exit.ts';
import type { Io } from '../io.ts';
import { containerPath, parseName } from '../name.ts';
import { runSession } from '../session.ts';

export interface AttachOptions {
  readonly namespace: string;
  /** False with --no-stdin. */
  readonly stdin: boolean;
  readonly detachKeys: string;
}

/** `mooring attach NAME`: the container's terminal or standard streams, from now on. Exits as the container does. */
export async function attach(client: Client, io: Io, word: string, { namespace, stdin, detachKeys }: AttachOptions): Promise<number> {
  const keys = new DetachKeys(detachKeys);
  const end = await runSession(await client.attach(`${containerPath(parseName(word, namespace))}/attach`), { stdin, detachKeys: keys });
  if (end !== 'detached') return end.exitCode;
  io.err(`\ndetached from ${word}, which runs on\n`);
  return EXIT.ok;
}
