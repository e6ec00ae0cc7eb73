import { execFile } from 'node:child_process';

import type { Credentials } from './credentials.ts';
import { messageOf, MooringError } from './errors.ts';

const TIMEOUT_MS = 10_000;
/** docker-credential-helpers, "get": says this where it has none. */
const NOT_FOUND = 'credentials not found';
/** The user name under which identity tokens are kept. */
const TOKEN_USER = '<token>';

/** The login that `docker-credential-<name>` keeps for a server; undefined when it has none. */
export async function askHelper(name: string, server: string): Promise<Credentials | undefined> {
  const answer = await run(name, 'get', server, server);
  if (answer === undefined) return undefined;
  const found = parse(answer);
  if (!found) throw new MooringError('Unavailable', `docker-credential-${name} gave an answer for ${server} that is not understood`);
  return found.username === TOKEN_USER ? { identityToken: found.secret } : { username: found.username, password: found.secret };
}

export async function storeWithHelper(name: string, server: string, credentials: Credentials): Promise<void> {
  const login = 'password' in credentials ? { Username: credentials.username, Secret: credentials.password } : { Username: TOKEN_USER, Secret: credentials.identityToken };
  await run(name, 'store', server, JSON.stringify({ ServerURL: server, ...login }));
}

export async function eraseFromHelper(name: string, server: string): Promise<void> {
  await run(name, 'erase', server, server);
}

/** The protocol of docker-credential-helpers: the input on standard input, the answer on standard output. Undefined for "credentials not found". */
async function run(name: string, action: 'get' | 'store' | 'erase', server: string, input: string): Promise<string | undefined> {
  if (!/^[A-Za-z0-9][\w.-]*$/.test(name)) throw new MooringError('Invalid', `"${name}" is no name of a credential helper`);
  const command = `docker-credential-${name}`;
  return new Promise((resolve, reject) => {
    const child = execFile(command, [action], { timeout: TIMEOUT_MS }, (error, stdout) => {
      if (!error) resolve(stdout);
      else if (stdout.includes(NOT_FOUND)) resolve(undefined);
      // What it says to "get" may hold a secret only when it succeeds.
      else reject(new MooringError('Unavailable', `${command} failed to ${action} the login for ${server}: ${stdout.trim() === '' ? messageOf(error) : stdout.trim()}`));
    });
    child.stdin?.on('error', () => {}); // one that ends without reading fails by its exit status
    child.stdin?.end(input);
  });
}

function parse(answer: string): { readonly username: string; readonly secret: string } | undefined {
  try {
    const { Username, Secret } = JSON.parse(answer) as Readonly<Record<string, unknown>>;
    return typeof Username === 'string' && typeof Secret === 'string' ? { username: Username, secret: Secret } : undefined;
  } catch {
    return undefined; // the caller says so
  }
}
