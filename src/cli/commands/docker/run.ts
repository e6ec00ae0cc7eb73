import { MooringError } from '../../../lib/errors.ts';
import { createContainer } from '../../docker/create-container.ts';
import { DockerApiError, type DockerClient, pathFor } from '../../docker/docker-client.ts';
import { DETACH_KEYS, startFailure, startJoined } from '../../docker/joined-start.ts';
import { DetachKeys } from '../../../lib/detach-keys.ts';
import { EXIT } from '../../exit.ts';
import type { Io } from '../../io.ts';
import { attachedOf, createRequest } from '../../run/create-request.ts';
import { wholeFlags } from '../../run/run-flags.ts';
import { ownSurroundings } from '../../run/surroundings.ts';

type Given = Readonly<Record<string, unknown>>;

/** `mooring run IMAGE [COMMAND…]`: exits as the container does; 125 when it failed itself, 126 when the program can't be run, 127 when there is none of that name. */
export async function run(client: DockerClient, io: Io, image: string, words: readonly string[], given: Given): Promise<number> {
  const flags = wholeFlags(given);
  const detachKeys = new DetachKeys(flags.detachKeys ?? DETACH_KEYS);
  const id = await createContainer(client, io, createRequest(image, words, flags, ownSurroundings()), flags);
  try {
    if (flags.detach === true) {
      await client.post(pathFor('containers', id, 'start'));
      io.out(`${id}\n`);
      return EXIT.ok;
    }
    const end = await startJoined(client, id, { terminal: flags.tty === true, streams: attachedOf(flags), autoRemove: flags.rm === true, passSignals: flags.sigProxy !== false, detachKeys });
    if (end !== 'detached') return end;
    io.err(`\ndetached from ${flags.name ?? id.slice(0, 12)}, which runs on\n`);
    return EXIT.ok;
  } catch (error) {
    if (!(error instanceof DockerApiError)) throw error;
    throw new StartError(error);
  }
}

/** `mooring create IMAGE [COMMAND…]`: prints the ID. */
export async function create(client: DockerClient, io: Io, image: string, words: readonly string[], given: Given): Promise<number> {
  const flags = wholeFlags(given);
  io.out(`${await createContainer(client, io, createRequest(image, words, flags, ownSurroundings()), flags)}\n`);
  return EXIT.ok;
}

/** A container that could not be started; `exitStatus` says what a shell's would be. */
export class StartError extends MooringError {
  readonly exitStatus: number;

  constructor({ code, message }: MooringError) {
    super(code, message);
    this.exitStatus = startFailure(message);
  }
}
