import type { CreatedToken, TokenList, TokenObject } from '../../api/v1/token-types.ts';
import type { Client } from '../client.ts';
import { EXIT } from '../exit.ts';
import type { Io } from '../io.ts';
import { renderTable } from '../output/table.ts';
import { type OutputFormat, serialize } from './get.ts';

export interface CreateTokenOptions {
  readonly verb: readonly string[];
  readonly container: readonly string[];
  readonly namespace?: readonly string[];
  readonly expires?: string;
  readonly output?: OutputFormat;
}

/** `mooring token create`: the secret is all that standard output gets, so that a script can keep it. */
export async function createToken(client: Client, io: Io, name: string, { verb, container, namespace = ['default'], expires, output }: CreateTokenOptions): Promise<number> {
  const split = (values: readonly string[]): string[] => [...new Set(values.flatMap((value) => value.split(',')))];
  const { secret, ...token } = await client.send<CreatedToken>('/v1/tokens', { name, verbs: split(verb), containers: split(container), namespaces: split(namespace), ...(expires !== undefined && { expires }) });
  if (output === 'json' || output === 'yaml') io.out(await serialize({ ...token, secret }, output));
  else {
    io.out(`${secret}\n`);
    io.err(`token ${token.name} may ${token.verbs.join(', ')} containers ${token.containers.join(', ')} of namespace ${token.namespaces.join(', ')}${token.expiresAt === undefined ? '' : ` until ${token.expiresAt}`}; it is not shown again\n`);
  }
  return EXIT.ok;
}

export async function listTokens(client: Client, io: Io, { output }: { readonly output?: OutputFormat }): Promise<number> {
  const { items } = await client.get<TokenList>('/v1/tokens');
  if (output === 'json' || output === 'yaml') io.out(await serialize(items, output));
  else if (items.length === 0) io.err('there are no tokens\n');
  else io.out(renderTable(['NAME', 'VERBS', 'CONTAINERS', 'NAMESPACES', 'CREATED', 'EXPIRES'], items.map((item) => rowOf(item, io.now()))));
  return EXIT.ok;
}

export async function revokeTokens(client: Client, io: Io, names: readonly string[]): Promise<number> {
  for (const name of names) {
    await client.delete(`/v1/tokens/${encodeURIComponent(name)}`);
    io.out(`token ${name} revoked\n`);
  }
  return EXIT.ok;
}

function rowOf({ name, verbs, containers, namespaces, createdAt, expiresAt }: TokenObject, now: number): string[] {
  const end = expiresAt === undefined ? 'never' : Date.parse(expiresAt) <= now ? `${expiresAt} (expired)` : expiresAt;
  return [name, verbs.join(','), containers.join(','), namespaces.join(','), createdAt, end];
}
