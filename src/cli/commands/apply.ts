import type { ApplyResult, ContainerObject } from '../../api/v1/types.ts';
import { MooringError } from '../../lib/errors.ts';
import type { Client } from '../client.ts';
import { readDocuments } from '../documents.ts';
import { EXIT } from '../exit.ts';
import type { Io } from '../io.ts';
import { problemLines } from '../output/problems.ts';
import { serialize, type OutputFormat } from './get.ts';
import { waitUntil } from '../wait.ts';

export interface ApplyOptions {
  readonly filename: readonly string[];
  readonly output?: OutputFormat;
  readonly wait?: boolean;
  readonly timeout: string;
}

/** `mooring apply -f FILE|DIR|-`: hands documents to the daemon, which keeps them until `mooring delete`. */
export async function apply(client: Client, io: Io, options: ApplyOptions): Promise<number> {
  const result = await client.post<ApplyResult>('/v1/apply', await readDocuments(options.filename, io));
  if (result.warnings !== undefined) io.err(`${problemLines(result.warnings, io.style).join('\n')}\n`);
  if (options.output === 'json' || options.output === 'yaml') io.out(await serialize(result, options.output));
  else for (const item of result.items) io.out(options.output === 'name' ? `${nameOf(item)}\n` : `${nameOf(item)} ${item.result}\n`);
  if (options.wait) {
    await waitUntil(client, options.timeout, `${result.items.map(({ name }) => name).join(', ')} to be ready`, (seen) =>
      result.items.every(({ kind, name, generation }) => kind !== 'Container' || isReady(seen.get(name), generation)),
    );
  }
  return EXIT.ok;
}

/** As it is told: of containers the name alone. */
function nameOf({ kind, name }: ApplyResult['items'][number]): string {
  return kind === 'Container' ? name : `${kind.toLowerCase()}/${name}`;
}

/** Whether the container has become what was asked for. Throws where it never will without a change. */
function isReady(container: ContainerObject | undefined, generation: number): boolean {
  if (container === undefined || container.status.observedGeneration < generation) return false;
  const { conditions, phase } = container.status;
  const stalled = conditions.find(({ type, status }) => type === 'Stalled' && status === 'True');
  if (stalled !== undefined) throw new MooringError('Unavailable', `${container.metadata.namespace}/${container.metadata.name} is stalled: ${stalled.message}`);
  return phase === 'Completed' || conditions.some(({ type, status }) => type === 'Ready' && status === 'True');
}
