import { MooringError } from '../../lib/errors.ts';
import { filesOf } from '../documents.ts';
import { EXIT } from '../exit.ts';
import type { Io } from '../io.ts';
import { translated } from '../translate.ts';
import { serialize } from './get.ts';

export interface ConvertOptions {
  readonly filename: readonly string[];
  readonly output: 'yaml' | 'json';
}

/** `mooring convert -f FILE|DIR|-`: prints what compose files and pods become. Asks no daemon. */
export async function convert(io: Io, { filename, output }: ConvertOptions): Promise<number> {
  const documents: unknown[] = [];
  for (const { name, text } of await filesOf(filename, () => io.readStdin())) documents.push(...(await translated(name, text, io)));
  if (documents.length === 0) throw new MooringError('Invalid', 'there is no document in what was given');
  if (output === 'json') io.out(await serialize(documents.length === 1 ? documents[0] : { apiVersion: 'v1', kind: 'List', items: documents }, 'json'));
  else for (const [index, document] of documents.entries()) io.out(`${index === 0 ? '' : '---\n'}${await serialize(document, 'yaml')}`);
  return EXIT.ok;
}
