import { MooringError } from '../../../lib/errors.ts';
import { type DockerClient, pathFor } from '../../docker/docker-client.ts';
import type { Io } from '../../io.ts';
import { resourcesOf, restartOf } from '../../run/create-request.ts';
import { wholeFlags } from '../../run/run-flags.ts';
import { eachName } from './each-name.ts';

/** `mooring update NAME…`: other limits or another restart policy, at once and without a restart. */
export async function update(client: DockerClient, io: Io, names: readonly string[], given: Readonly<Record<string, unknown>>): Promise<number> {
  const flags = wholeFlags(given);
  const resources = Object.fromEntries(Object.entries(resourcesOf(flags)).filter(([, value]) => value !== undefined));
  const restart = restartOf(flags.restart);
  const body = { ...resources, ...(restart !== undefined && { RestartPolicy: restart }) };
  if (Object.keys(body).length === 0) throw new MooringError('Invalid', 'there is nothing to change', { fix: 'give a limit or --restart; see "mooring update --help"' });
  return eachName(io, names, async (name) => {
    const reply = await client.post<{ Warnings?: readonly string[] | null }>(pathFor('containers', name, 'update'), body);
    for (const warning of reply?.Warnings ?? []) io.err(`warning: ${warning}\n`);
  });
}
