import { DockerApiError, type DockerClient, pathFor } from '../../docker/docker-client.ts';
import { EXIT, errorLines } from '../../exit.ts';
import type { Io } from '../../io.ts';
import { wholeNumber } from '../../run/numbers.ts';
import { eachName } from './each-name.ts';

export interface StopFlags {
  /** Seconds; -1 for ever. */
  readonly time?: string;
  readonly timeout?: string;
  readonly signal?: string;
}

/** `mooring stop` and `mooring restart`: by the signal, and by SIGKILL when time is up. */
export function stopOrRestart(client: DockerClient, io: Io, verb: 'stop' | 'restart', names: readonly string[], { time, timeout = time, signal }: StopFlags): Promise<number> {
  const query = { ...(timeout !== undefined && { t: String(wholeNumber('--timeout', timeout, -1)) }), ...(signal !== undefined && { signal }) };
  return eachName(io, names, (name) => client.post(pathFor('containers', name, verb, query)));
}

export function kill(client: DockerClient, io: Io, names: readonly string[], { signal }: { readonly signal?: string }): Promise<number> {
  return eachName(io, names, (name) => client.post(pathFor('containers', name, 'kill', signal === undefined ? {} : { signal })));
}

export function pauseOrUnpause(client: DockerClient, io: Io, verb: 'pause' | 'unpause', names: readonly string[]): Promise<number> {
  return eachName(io, names, (name) => client.post(pathFor('containers', name, verb)));
}

export interface RemoveFlags {
  readonly force?: boolean;
  readonly volumes?: boolean;
  readonly link?: boolean;
}

export function remove(client: DockerClient, io: Io, names: readonly string[], { force, volumes, link }: RemoveFlags): Promise<number> {
  const query = { ...(force === true && { force: '1' }), ...(volumes === true && { v: '1' }), ...(link === true && { link: '1' }) };
  return eachName(io, names, async (name) => {
    try {
      await client.delete(pathFor('containers', name, '', query));
    } catch (error) {
      if (force !== true || !(error instanceof DockerApiError) || error.status !== 404) throw error;
      io.err(`${errorLines(error).join('\n')}\n`); // with --force one that is not there is as wanted
      return false;
    }
  });
}

export async function rename(client: DockerClient, name: string, to: string): Promise<number> {
  await client.post(pathFor('containers', name, 'rename', { name: to }));
  return EXIT.ok;
}

/** `mooring wait NAME…`: prints the exit status of each, once it has ended. */
export async function wait(client: DockerClient, io: Io, names: readonly string[]): Promise<number> {
  return eachName(io, names, async (name) => {
    const reply = await client.post<{ StatusCode: number }>(pathFor('containers', name, 'wait'));
    io.out(`${reply?.StatusCode ?? ''}\n`);
    return false;
  });
}
