import type { DeleteResult } from '../../api/v1/types.ts';
import { MooringError } from '../../lib/errors.ts';
import type { Client } from '../client.ts';
import { readDocuments } from '../documents.ts';
import { EXIT } from '../exit.ts';
import type { Io } from '../io.ts';
import { isKind, kindOf, parseName, resourcePath } from '../name.ts';
import { waitUntil } from '../wait.ts';

export interface DeleteOptions {
  readonly namespace: string;
  readonly filename?: readonly string[];
  readonly wait?: boolean;
  readonly timeout: string;
}

/** `mooring delete NAME …` and `mooring delete -f FILE`: takes back what `mooring apply` said. */
export async function deleteContainers(client: Client, io: Io, words: readonly string[], options: DeleteOptions): Promise<number> {
  const names = words.filter((word) => !isKind(word)).map((word) => parseName(word, options.namespace));
  if (names.length === 0 && options.filename === undefined) throw new MooringError('Invalid', 'nothing to delete', { fix: 'give a NAME or -f FILE' });
  const deleted: string[] = [];
  const report = ({ items }: DeleteResult): void => {
    for (const { kind, name } of items) {
      if (kind === 'Container') deleted.push(name);
      io.out(`${kind === 'Container' ? name : `${kind.toLowerCase()} ${name}`} deleted\n`);
    }
  };
  const kind = kindOf(words);
  for (const name of names) report(await client.delete<DeleteResult>(`${resourcePath(kind, name)}${kind === 'Volume' ? '?reclaim=1' : ''}`));
  if (options.filename !== undefined) report(await client.post<DeleteResult>('/v1/delete', await readDocuments(options.filename, io)));
  if (options.wait) await waitUntil(client, options.timeout, `${deleted.join(', ')} to be gone`, (seen) => deleted.every((name) => !seen.has(name)));
  return EXIT.ok;
}
