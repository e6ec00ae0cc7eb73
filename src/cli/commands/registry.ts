import type { LoginResult, SearchResult } from '../../api/v1/image-types.ts';
import { encodeRegistryAuth, REGISTRY_AUTH_HEADER } from '../../api/v1/registry-auth.ts';
import type { Credentials } from '../../lib/credentials.ts';
import { dockerConfigFile, eraseCredentials, saveCredentials } from '../../lib/docker-config.ts';
import { MooringError } from '../../lib/errors.ts';
import type { Client } from '../client.ts';
import { EXIT } from '../exit.ts';
import type { Io } from '../io.ts';
import { renderTable } from '../output/table.ts';
import { prompt } from '../prompt.ts';
import { authFor, registryOf } from '../registry-login.ts';
import { type ListFormat, renderList, type Row } from '../template/list-format.ts';
import { serialize, type OutputFormat } from './get.ts';
import { query } from './image.ts';

export interface LoginOptions {
  readonly username?: string;
  readonly passwordStdin?: boolean;
}

/** `mooring login`: the daemon, which is to use it, tries the login; then it is kept where `docker` keeps its own. */
export async function login(client: Client, io: Io, server: string | undefined, { username, passwordStdin = false }: LoginOptions): Promise<number> {
  if (passwordStdin && username === undefined) throw new MooringError('Invalid', '--password-stdin wants --username');
  const registry = server === undefined ? await registryOf(client) : registryHost(server);
  const user = username ?? (await prompt(`User name for ${registry}`, { secret: false }));
  const password = passwordStdin ? (await io.readStdin()).replace(/\r?\n$/, '') : await prompt('Password', { secret: true });
  if (user === '' || password === '') throw new MooringError('Invalid', 'user name and password must not be empty');
  const given: Credentials = { username: user, password };
  const { identityToken } = await client.call<LoginResult>(`/v1/registry/login?${query({ registry })}`, { [REGISTRY_AUTH_HEADER]: encodeRegistryAuth(given) });
  const file = dockerConfigFile();
  const helper = await saveCredentials(registry, identityToken === undefined ? given : { identityToken, username: user }, file);
  const secret = identityToken === undefined ? 'the password' : "the token that the registry gave in the password's place";
  io.out(`logged in to ${registry} as ${user}\n`);
  io.err(helper === undefined ? `${secret} is kept unencrypted in ${file}; a credential helper ("credsStore" in that file) keeps it better\n` : `${secret} is kept by docker-credential-${helper}\n`);
  return EXIT.ok;
}

/** `mooring logout`. */
export async function logout(client: Client, io: Io, server: string | undefined): Promise<number> {
  const registry = server === undefined ? await registryOf(client) : registryHost(server);
  const known = await eraseCredentials(registry, dockerConfigFile());
  if (known) io.out(`logged out of ${registry}\n`);
  else io.err(`there was no login for ${registry}\n`);
  return EXIT.ok;
}

export interface SearchFlags {
  readonly limit: string;
  readonly format?: string;
  /** False with --no-trunc. */
  readonly trunc: boolean;
  readonly output?: OutputFormat;
}

/** `mooring search`. */
export async function search(client: Client, io: Io, text: string, { limit, format, trunc, output }: SearchFlags): Promise<number> {
  const slash = text.indexOf('/');
  const first = text.slice(0, Math.max(0, slash));
  // As in references: what stands before the first slash is a host if it looks like one.
  const isHost = /[.:]/.test(first) || first === 'localhost';
  const registry = isHost ? registryHost(first) : await registryOf(client);
  const term = isHost ? text.slice(slash + 1) : text;
  const { items } = await client.get<SearchResult>(`/v1/registry/search?${query({ registry, term, limit })}`, undefined, await authFor(registry));
  if (output === 'json' || output === 'yaml') io.out(await serialize(items, output));
  else if (format !== undefined) io.out(renderList(items.map((item) => rowOf(item, !trunc)), SEARCH_FORMAT, { format }));
  else if (items.length === 0) io.err(`registry ${registry} has nothing like "${term}"\n`);
  else io.out(renderTable(['NAME', 'STARS', 'OFFICIAL', 'DESCRIPTION'], items.map(({ name, stars, official, description }) => [name, stars === null ? '-' : String(stars), official ? 'yes' : '', trunc ? description.slice(0, SHORT_DESCRIPTION) : description])));
  return EXIT.ok;
}

const SHORT_DESCRIPTION = 80;
const SEARCH_FORMAT: ListFormat = {
  headers: { Name: 'NAME', Description: 'DESCRIPTION', StarCount: 'STARS', IsOfficial: 'OFFICIAL' },
  usual: 'table {{.Name}}\t{{.Description}}\t{{.StarCount}}\t{{.IsOfficial}}',
  quiet: '{{.Name}}',
};

/** What a registry has found, by the names that a template of Docker's calls it. */
function rowOf({ name, stars, official, description }: SearchResult['items'][number], whole: boolean): Row {
  return { Name: name, Description: whole ? description : description.slice(0, SHORT_DESCRIPTION), StarCount: String(stars ?? 0), IsOfficial: official ? '[OK]' : '' };
}

/** People paste addresses; Docker Hub has several. */
function registryHost(text: string): string {
  const host = text.replace(/^https?:\/\//, '').replace(/\/.*$/, '');
  return host === 'index.docker.io' || host === 'registry-1.docker.io' ? 'docker.io' : host;
}
