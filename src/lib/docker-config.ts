import { randomBytes } from 'node:crypto';
import { mkdir, open, readFile, realpath, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import path from 'node:path';

import { askHelper, eraseFromHelper, storeWithHelper } from './credential-helper.ts';
import type { CredentialFinder, Credentials } from './credentials.ts';
import { errnoOf, MooringError } from './errors.ts';

/** What Docker files Docker Hub's login under. */
const HUB_KEY = 'https://index.docker.io/v1/';

interface AuthEntry {
  readonly auth?: string;
  readonly username?: string;
  readonly password?: string;
  readonly identitytoken?: string;
}

/** Docker's config.json, as far as logins go; what else it holds is kept. */
interface DockerConfig extends Readonly<Record<string, unknown>> {
  readonly auths?: Readonly<Record<string, AuthEntry>>;
  readonly credHelpers?: Readonly<Record<string, string>>;
  readonly credsStore?: string;
}

/** Where `docker login` keeps what it was told: `$DOCKER_CONFIG/config.json`, else `~/.docker/config.json`. */
export function dockerConfigFile(): string {
  return path.join(process.env['DOCKER_CONFIG'] ?? path.join(homedir(), '.docker'), 'config.json');
}

/** What `docker login` left for a registry; read anew each time, so that a login counts at once. */
export async function findCredentials(registry: string, configFile: string): Promise<Credentials | undefined> {
  const config = await readConfig(configFile);
  if (!config) return undefined;
  const keys = keysOf(registry);
  for (const key of keys) {
    const helper = config.credHelpers?.[key];
    if (helper !== undefined) return askHelper(helper, key);
  }
  const entry = entryOf(config, registry);
  const kept = entry && fromEntry(entry[1], configFile, registry);
  if (kept) return kept;
  return config.credsStore === undefined ? undefined : askHelper(config.credsStore, entry?.[0] ?? keys[0] ?? registry);
}

/** The logins that a text in the form of config.json holds itself, such as a Kubernetes pull secret; helpers in it are not asked. Throws `Invalid`. */
export function credentialsFrom(text: string, at: string): CredentialFinder {
  const config = parseConfig(text, at);
  return async (registry) => {
    const entry = entryOf(config, registry);
    return entry && fromEntry(entry[1], at, registry);
  };
}

/** Keeps a login where `docker` looks for it, too: with the helper that is set for the registry, or else in the file. Says which helper, or undefined for the file. */
export async function saveCredentials(registry: string, credentials: Credentials, configFile: string): Promise<string | undefined> {
  const config = (await readConfig(configFile)) ?? {};
  const [key = registry] = keysOf(registry);
  const helper = config.credHelpers?.[key] ?? config.credsStore;
  if (helper !== undefined) {
    await storeWithHelper(helper, key, credentials);
    // Docker lists what a store holds by an empty entry.
    if (config.credHelpers?.[key] === undefined) await writeConfig(configFile, { ...config, auths: { ...config.auths, [key]: {} } });
    return helper;
  }
  await writeConfig(configFile, { ...config, auths: { ...config.auths, [key]: toEntry(credentials) } });
  return undefined;
}

/** Forgets a login, wherever it is kept. False where there was none. */
export async function eraseCredentials(registry: string, configFile: string): Promise<boolean> {
  const config = await readConfig(configFile);
  if (!config) return false;
  const [key = registry] = keysOf(registry);
  const entry = entryOf(config, registry);
  const helper = config.credHelpers?.[key] ?? config.credsStore;
  const known = helper !== undefined && (await askHelper(helper, key)) !== undefined;
  if (helper !== undefined && known) await eraseFromHelper(helper, key);
  if (entry) {
    const { [entry[0]]: _, ...auths } = config.auths ?? {};
    await writeConfig(configFile, { ...config, auths });
  }
  return known || (entry !== undefined && Object.keys(entry[1]).length > 0);
}

function keysOf(registry: string): readonly string[] {
  return registry === 'docker.io' ? [HUB_KEY, 'docker.io', 'index.docker.io'] : [registry];
}

function entryOf({ auths }: DockerConfig, registry: string): [string, AuthEntry] | undefined {
  const keys = keysOf(registry);
  return Object.entries(auths ?? {}).find(([name]) => keys.includes(name) || (registry !== 'docker.io' && hostOf(name) === registry));
}

async function readConfig(file: string): Promise<DockerConfig | undefined> {
  try {
    return parseConfig(await readFile(file, 'utf8'), file);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/** Checked by hand: the command reads this at every pull, and a schema's library takes longer to load than the rest of it. */
function parseConfig(text: string, at: string): DockerConfig {
  const config = tryJson(text);
  // The cause would quote what may be a secret.
  if (!isObject(config) || !hasStrings(config['credHelpers']) || !isStringOrNothing(config['credsStore']) || !areEntries(config['auths'])) {
    throw new MooringError('Invalid', 'the Docker configuration is malformed', { at, fix: 'log in again with "mooring login" or "docker login"' });
  }
  return config;
}

function areEntries(value: unknown): boolean {
  return value === undefined || (isObject(value) && Object.values(value).every((entry) => isObject(entry) && ['auth', 'username', 'password', 'identitytoken'].every((field) => isStringOrNothing(entry[field]))));
}

function hasStrings(value: unknown): boolean {
  return value === undefined || (isObject(value) && Object.values(value).every((item) => typeof item === 'string'));
}

function isStringOrNothing(value: unknown): boolean {
  return value === undefined || typeof value === 'string';
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function fromEntry({ auth, username, password, identitytoken }: AuthEntry, at: string, registry: string): Credentials | undefined {
  if (identitytoken !== undefined && identitytoken !== '') return { identityToken: identitytoken };
  if (auth !== undefined && auth !== '') {
    const text = Buffer.from(auth, 'base64').toString();
    const colon = text.indexOf(':');
    if (colon < 0) throw new MooringError('Invalid', `the login for ${registry} is malformed`, { at, fix: `log in again with "mooring login ${registry}"` });
    return { username: text.slice(0, colon), password: text.slice(colon + 1) };
  }
  return username === undefined || password === undefined ? undefined : { username, password };
}

/** As Docker writes it. */
function toEntry(credentials: Credentials): AuthEntry {
  const { username = '' } = credentials;
  if ('password' in credentials) return { auth: base64(`${username}:${credentials.password}`) };
  return { auth: base64(`${username}:`), identitytoken: credentials.identityToken };
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}

/** Whole or not at all, for its owner's eyes only. A link stays one. */
async function writeConfig(file: string, config: DockerConfig): Promise<void> {
  await mkdir(path.dirname(file), { recursive: true, mode: 0o700 });
  const target = await realpath(file).catch((error: unknown) => {
    if (errnoOf(error) === 'ENOENT') return file;
    throw error;
  });
  const half = `${target}.${randomBytes(6).toString('hex')}`;
  try {
    await using handle = await open(half, 'wx', 0o600);
    await handle.writeFile(`${JSON.stringify(config, null, '\t')}\n`);
    await handle.sync();
    await rename(half, target);
  } catch (error) {
    await rm(half, { force: true });
    throw error;
  }
}

function tryJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // the caller refuses it
  }
}

/** Old Docker wrote whole URLs. */
function hostOf(key: string): string {
  return key.replace(/^https?:\/\//, '').replace(/\/.*$/, '');
}
