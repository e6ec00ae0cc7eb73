import type { SignalReply } from '../../api/v1/types.ts';
import type { Client } from '../client.ts';
import { DetachKeys } from '../../lib/detach-keys.ts';
import { EXIT } from '../exit.ts';
import type { Io } from '../io.ts';
import { pathOfContainer } from '../find-container.ts';
import { runSession } from '../session.ts';

export interface AttachOptions {
  readonly namespace: string;
  /** False with --no-stdin. */
  readonly stdin: boolean;
  readonly sigProxy: boolean;
  readonly detachKeys: string;
}

/** `mooring attach NAME`: the container's terminal or standard streams, from now on. Exits as the container does. */
export async function attach(client: Client, io: Io, word: string, { namespace, stdin, sigProxy, detachKeys }: AttachOptions): Promise<number> {
  const keys = new DetachKeys(detachKeys);
  const path = await pathOfContainer(client, word, namespace);
  // One that comes when the container has ended already has nobody to go to.
  const passSignal = (signal: string): void => void client.send<SignalReply>(`${path}/signal`, { signal }).catch(() => {});
  const end = await runSession(await client.attach(`${path}/attach`), { stdin, detachKeys: keys, ...(sigProxy && { passSignal }) });
  if (end !== 'detached') return end.exitCode;
  io.err(`\ndetached from ${word}, which runs on\n`);
  return EXIT.ok;
}
