import type { ContainerList, ContainerObject, ProblemList } from '../../api/v1/types.ts';
import type { Client } from '../client.ts';
import { EXIT } from '../exit.ts';
import type { Io } from '../io.ts';
import { containerPath, isKind, parseName } from '../name.ts';
import { renderContainers } from '../output/container-table.ts';
import { problemFooter } from '../output/problems.ts';

export type OutputFormat = 'json' | 'yaml' | 'wide' | 'name';

export interface GetOptions {
  readonly output?: OutputFormat;
  readonly namespace: string;
  readonly allNamespaces: boolean;
}

/** `mooring get [containers|container/NAME|NAME …]` and `mooring ps`. */
export async function get(client: Client, io: Io, words: readonly string[], options: GetOptions): Promise<number> {
  const names = words.filter((word) => !isKind(word)).map((word) => parseName(word, options.namespace));
  const items =
    names.length === 0
      ? (await client.get<ContainerList>(listPath(options))).items
      : await Promise.all(names.map((name) => client.get<ContainerObject>(containerPath(name))));
  const { output } = options;
  if (output === 'json' || output === 'yaml') {
    const [only] = items;
    io.out(await serialize(names.length === 1 && only !== undefined ? only : asList(items), output));
    return EXIT.ok;
  }
  if (output === 'name') {
    io.out(items.map(({ metadata }) => `${qualify(metadata, options.namespace)}\n`).join(''));
    return EXIT.ok;
  }
  const { items: problems } = await client.get<ProblemList>('/v1/problems');
  if (items.length > 0) io.out(renderContainers(items, { wide: output === 'wide', namespaces: options.allNamespaces, style: io.style, now: io.now() }));
  else io.err(options.allNamespaces ? 'No containers.\n' : `No containers in namespace ${options.namespace}.\n`);
  io.err(problemFooter(problems, io.style));
  return EXIT.ok;
}

export function listPath({ allNamespaces, namespace }: Pick<GetOptions, 'allNamespaces' | 'namespace'>, watch = false): string {
  const query = new URLSearchParams({ ...(!allNamespaces && { namespace }), ...(watch && { watch: '1' }) }).toString();
  return `/v1/containers${query === '' ? '' : `?${query}`}`;
}

/** One value as JSON or YAML. The YAML writer is loaded only where it is asked for. */
export async function serialize(value: unknown, format: 'json' | 'yaml'): Promise<string> {
  if (format === 'json') return `${JSON.stringify(value, null, 2)}\n`;
  const { stringify } = await import('yaml');
  return stringify(value, { aliasDuplicateObjects: false, lineWidth: 0 });
}

function asList(items: readonly ContainerObject[]): ContainerList {
  return { apiVersion: 'mooring.dev/v1alpha1', kind: 'ContainerList', items };
}

/** A name that `get`, `describe`, `logs` and `delete` take back. */
function qualify({ namespace, name }: ContainerObject['metadata'], current: string): string {
  return namespace === current ? `container/${name}` : `${namespace}/${name}`;
}
