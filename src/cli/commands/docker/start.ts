import { MooringError } from '../../../lib/errors.ts';
import { type DockerClient, pathFor } from '../../docker/docker-client.ts';
import { DETACH_KEYS, startJoined } from '../../docker/joined-start.ts';
import { DetachKeys } from '../../../lib/detach-keys.ts';
import { EXIT } from '../../exit.ts';
import type { Io } from '../../io.ts';
import { eachName } from './each-name.ts';

export interface StartFlags {
  readonly attach?: boolean;
  readonly interactive?: boolean;
  readonly sigProxy?: boolean;
  readonly detachKeys?: string;
}

interface Inspected {
  readonly Id: string;
  readonly Config: { readonly Tty: boolean; readonly OpenStdin: boolean };
  readonly HostConfig: { readonly AutoRemove: boolean };
  readonly State: { readonly Running: boolean };
}

/** `mooring start NAME…`; with --attach or --interactive one container, and the exit status is its own. */
export async function start(client: DockerClient, io: Io, names: readonly string[], { attach, interactive, sigProxy, detachKeys }: StartFlags): Promise<number> {
  if (attach !== true && interactive !== true) return eachName(io, names, (name) => client.post(pathFor('containers', name, 'start')));
  const [name = '', ...others] = names;
  if (others.length > 0) throw new MooringError('Invalid', 'only one container can be joined at a time', { fix: 'leave --attach and --interactive out, or name one' });
  const { Id, Config, HostConfig, State } = await client.get<Inspected>(pathFor('containers', name, 'json'));
  if (State.Running) throw new MooringError('Conflict', `${name} runs already`, { fix: `join it with "mooring attach ${name}"` });
  const end = await startJoined(client, Id, {
    terminal: Config.Tty,
    streams: new Set(interactive === true && Config.OpenStdin ? ['stdin', 'stdout', 'stderr'] : ['stdout', 'stderr']),
    autoRemove: HostConfig.AutoRemove,
    passSignals: sigProxy !== false,
    detachKeys: new DetachKeys(detachKeys ?? DETACH_KEYS),
  });
  if (end !== 'detached') return end;
  io.err(`\ndetached from ${name}, which runs on\n`);
  return EXIT.ok;
}
