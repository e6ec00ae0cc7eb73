import { MooringError } from '../../../lib/errors.ts';
import { DockerApiError, type DockerClient, pathFor } from '../../docker/docker-client.ts';
import { EXIT, errorLines } from '../../exit.ts';
import type { Io } from '../../io.ts';
import { renderTemplate } from '../../template/template.ts';
import { serialize } from '../get.ts';

export interface InspectFlags {
  /** A Go template, or `json`. */
  readonly format?: string;
  readonly size?: boolean;
  readonly type?: string;
  readonly output?: 'json' | 'yaml';
}

type Kind = (typeof KINDS)[number];

/** In the order in which a name is looked for. */
const KINDS = ['container', 'image', 'network', 'volume'] as const;

/** `mooring inspect NAME…`: what each is, as the Docker Engine API tells of it; what is found first of container, image, network, volume. */
export async function inspect(client: DockerClient, io: Io, names: readonly string[], flags: InspectFlags): Promise<number> {
  const kinds = KINDS.filter((kind) => flags.type === undefined || flags.type === '' || flags.type === kind);
  if (kinds.length === 0) throw new MooringError('Invalid', `--type "${flags.type}" is nothing to inspect`, { fix: `write ${KINDS.join(', ')}` });
  const render = flags.format === undefined || flags.format === 'json' || flags.format === '' ? undefined : renderTemplate(flags.format);
  const found: unknown[] = [];
  const failures: unknown[] = [];
  for (const name of names) {
    try {
      const object = await find(client, kinds, name, flags.size === true);
      if (render) io.out(`${render(object)}\n`);
      else found.push(object);
    } catch (error) {
      if (!(error instanceof MooringError)) throw error;
      failures.push(error);
    }
  }
  if (!render) io.out(flags.output === 'yaml' ? await serialize(found, 'yaml') : flags.format === 'json' ? `${JSON.stringify(found)}\n` : `${JSON.stringify(found, null, 4)}\n`);
  for (const failure of failures) io.err(`${errorLines(failure).join('\n')}\n`);
  return failures.length === 0 ? EXIT.ok : EXIT.failure;
}

async function find(client: DockerClient, kinds: readonly Kind[], name: string, size: boolean): Promise<unknown> {
  for (const kind of kinds) {
    try {
      return await client.get(pathOf(kind, name, size));
    } catch (error) {
      if (!(error instanceof DockerApiError) || error.status !== 404) throw error;
      if (kinds.length === 1) throw error;
    }
  }
  throw new MooringError('NotFound', `No such object: ${name}`);
}

function pathOf(kind: Kind, name: string, size: boolean): string {
  if (kind === 'container') return pathFor('containers', name, 'json', size ? { size: '1' } : {});
  return kind === 'image' ? pathFor('images', name, 'json') : pathFor(`${kind}s`, name);
}
