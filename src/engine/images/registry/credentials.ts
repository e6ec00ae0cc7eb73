import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import path from 'node:path';
import { z } from 'zod';

import { errnoOf, messageOf, MooringError } from '../../../lib/errors.ts';

export type Credentials = { readonly username: string; readonly password: string } | { readonly identityToken: string };

const HELPER_TIMEOUT_MS = 10_000;
/** What Docker files Docker Hub's login under. */
const HUB_KEY = 'https://index.docker.io/v1/';
/** docker-credential-helpers, "get": says this where it has none. */
const NOT_FOUND = 'credentials not found';

const configSchema = z.looseObject({
  auths: z.record(z.string(), z.looseObject({ auth: z.string().optional(), username: z.string().optional(), password: z.string().optional(), identitytoken: z.string().optional() })).optional(),
  credHelpers: z.record(z.string(), z.string()).optional(),
  credsStore: z.string().optional(),
});
const helperSchema = z.object({ Username: z.string(), Secret: z.string() });

type DockerConfig = z.output<typeof configSchema>;

/** Where `docker login` keeps what it was told: `$DOCKER_CONFIG/config.json`, else `~/.docker/config.json`. */
export function dockerConfigFile(): string {
  return path.join(process.env['DOCKER_CONFIG'] ?? path.join(homedir(), '.docker'), 'config.json');
}

/** What `docker login` left for a registry; read anew each time, so that a login counts at once. Undefined where it left nothing. */
export async function findCredentials(registry: string, configFile: string): Promise<Credentials | undefined> {
  const config = await readConfig(configFile);
  if (!config) return undefined;
  const keys = registry === 'docker.io' ? [HUB_KEY, 'docker.io', 'index.docker.io'] : [registry];
  for (const key of keys) {
    const helper = config.credHelpers?.[key];
    if (helper !== undefined) return askHelper(helper, key);
  }
  const entry = Object.entries(config.auths ?? {}).find(([name]) => keys.includes(name) || (registry !== 'docker.io' && hostOf(name) === registry));
  const kept = entry && fromEntry(entry[1], configFile, registry);
  if (kept) return kept;
  return config.credsStore === undefined ? undefined : askHelper(config.credsStore, entry?.[0] ?? keys[0] ?? registry);
}

async function readConfig(file: string): Promise<DockerConfig | undefined> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw error;
  }
  try {
    return configSchema.parse(JSON.parse(text));
  } catch {
    // The cause would quote what may be a secret.
    throw new MooringError('Invalid', 'the Docker configuration is malformed', { at: file, fix: 'run "docker login" again' });
  }
}

function fromEntry({ auth, username, password, identitytoken }: NonNullable<DockerConfig['auths']>[string], file: string, registry: string): Credentials | undefined {
  if (identitytoken !== undefined && identitytoken !== '') return { identityToken: identitytoken };
  if (auth !== undefined && auth !== '') {
    const text = Buffer.from(auth, 'base64').toString();
    const colon = text.indexOf(':');
    if (colon < 0) throw new MooringError('Invalid', `the login for ${registry} is malformed`, { at: file, fix: `run "docker login ${registry}" again` });
    return { username: text.slice(0, colon), password: text.slice(colon + 1) };
  }
  return username === undefined || password === undefined ? undefined : { username, password };
}

/** The protocol of docker-credential-helpers: the server's name on standard input, JSON on standard output. */
async function askHelper(name: string, server: string): Promise<Credentials | undefined> {
  if (!/^[A-Za-z0-9][\w.-]*$/.test(name)) throw new MooringError('Invalid', `"${name}" is no name of a credential helper`);
  const command = `docker-credential-${name}`;
  const answer = await new Promise<string>((resolve, reject) => {
    const child = execFile(command, ['get'], { timeout: HELPER_TIMEOUT_MS }, (error, stdout) => {
      if (!error) resolve(stdout);
      else if (stdout.includes(NOT_FOUND)) resolve('');
      else reject(new MooringError('Unavailable', `${command} gave no credentials for ${server}: ${stdout.trim() === '' ? messageOf(error) : stdout.trim()}`));
    });
    child.stdin?.on('error', () => {}); // one that ends without reading fails by its exit status
    child.stdin?.end(server);
  });
  if (answer === '') return undefined;
  const { success, data } = helperSchema.safeParse(tryJson(answer));
  if (!success) throw new MooringError('Unavailable', `${command} gave an answer for ${server} that is not understood`);
  return data.Username === '<token>' ? { identityToken: data.Secret } : { username: data.Username, password: data.Secret };
}

function tryJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // the schema refuses it
  }
}

/** Old Docker wrote whole URLs. */
function hostOf(key: string): string {
  return key.replace(/^https?:\/\//, '').replace(/\/.*$/, '');
}
