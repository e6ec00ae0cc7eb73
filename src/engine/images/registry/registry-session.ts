import type { Readable } from 'node:stream';
import { type Dispatcher, request } from 'undici';
import { z } from 'zod';

import type { Credentials } from '../../../lib/credentials.ts';
import { MooringError } from '../../../lib/errors.ts';
import { parseChallenges } from './auth-challenge.ts';
import { connectionError, openHost, type RegistryHost } from './registry-host.ts';
import type { RegistrySettings } from './registry-settings.ts';
import { isTransientFailure, isTransientStatus, MAX_RETRY_AFTER_MS, pause, retryAfterMs, retryDelay } from './retry.ts';

export type Response = Dispatcher.ResponseData;

export interface Send {
  readonly method?: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH';
  /** Below the registry's origin, or a whole URL that the registry gave. */
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Made anew for each attempt. */
  readonly body?: () => Buffer | Readable;
  /** Statuses that are answers; any other is thrown. */
  readonly accept: readonly number[];
  /** What is asked for, for errors: `image docker.io/library/redis:latest`. */
  readonly what: string;
}

const ATTEMPTS = 5;
const MAX_REDIRECTS = 5;
const REDIRECTS = new Set([301, 302, 303, 307, 308]);
const MAX_TEXT_BYTES = 64 * 1024;

const tokenSchema = z.object({ token: z.string().optional(), access_token: z.string().optional(), refresh_token: z.string().optional() });
const errorSchema = z.object({ errors: z.array(z.object({ code: z.string().optional(), message: z.string().optional() })) });

/** Speaks to one repository of a registry: authenticates as it is asked to, follows redirects, tries again what may pass. */
export class RegistrySession implements AsyncDisposable {
  readonly host: RegistryHost;
  readonly #scopes: readonly string[];
  readonly #settings: RegistrySettings;
  readonly #signal: AbortSignal | undefined;
  #authorization: string | undefined;
  #authorizing: Promise<string | undefined> | undefined;
  #identityToken: string | undefined;

  private constructor(host: RegistryHost, scopes: readonly string[], settings: RegistrySettings, signal: AbortSignal | undefined) {
    this.host = host;
    this.#scopes = scopes;
    this.#settings = settings;
    this.#signal = signal;
  }

  /** `scopes`, such as `repository:library/redis:pull`, are asked for where the registry does not say which it wants. */
  static async open(registry: string, scopes: readonly string[], settings: RegistrySettings, signal?: AbortSignal): Promise<RegistrySession> {
    return new RegistrySession(await openHost(registry, settings), scopes, settings, signal);
  }

  /** What the token server gave to be used in place of the password from now on, where it gives that. */
  get identityToken(): string | undefined {
    return this.#identityToken;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.host.agent.destroy();
  }

  /** The response with one of the accepted statuses; its body is the caller's to read or dump. */
  async send(send: Send): Promise<Response> {
    for (let attempt = 0; ; attempt++) {
      let delay = retryDelay(attempt);
      try {
        const response = await this.#authorized(send);
        if (send.accept.includes(response.statusCode)) return response;
        const failure = await failureOf(response, send.what, this.host.name);
        if (!isTransientStatus(response.statusCode) || attempt + 1 >= ATTEMPTS) throw failure;
        const asked = retryAfterMs(headerOf(response, 'retry-after'), Date.now());
        if (asked !== undefined && asked > MAX_RETRY_AFTER_MS) throw failure;
        delay = asked ?? delay;
      } catch (error) {
        this.#signal?.throwIfAborted();
        if (error instanceof MooringError) throw error;
        if (!isTransientFailure(error) || attempt + 1 >= ATTEMPTS) throw connectionError(this.host.name, error);
      }
      await pause(delay, this.#signal);
    }
  }

  /** Sends, and once more with what a 401 asks for. */
  async #authorized(send: Send): Promise<Response> {
    const used = this.#authorization;
    const response = await this.#redirected(send, used);
    if (response.statusCode !== 401 || send.accept.includes(401)) return response;
    const challenges = parseChallenges(response.headers['www-authenticate']);
    const bearer = challenges.find(({ scheme }) => scheme === 'bearer');
    const basic = challenges.find(({ scheme }) => scheme === 'basic');
    if (!bearer && !basic) return response;
    // Several layers are asked for at once, and one token serves them all.
    if (this.#authorization === used) {
      this.#authorizing ??= (bearer ? this.#token(bearer.parameters) : this.#basic()).finally(() => (this.#authorizing = undefined));
      const authorization = await this.#authorizing;
      if (authorization === undefined) return response;
      this.#authorization = authorization;
    }
    await response.body.dump();
    return this.#redirected(send, this.#authorization);
  }

  /** Authorization goes to the registry's own origin only: where a redirect leads elsewhere, the address itself is signed. */
  async #redirected({ method = 'GET', url, headers = {}, body }: Send, authorization: string | undefined): Promise<Response> {
    let target = new URL(url, this.host.origin);
    for (let redirects = 0; ; redirects++) {
      const own = target.origin === this.host.origin;
      const content = body?.();
      const response = await request(target, {
        method,
        dispatcher: this.host.agent,
        headers: { 'user-agent': 'mooring', ...headers, ...(own && authorization !== undefined && { authorization }) },
        ...(content !== undefined && { body: content }),
        ...(this.#signal && { signal: this.#signal }),
      });
      const location = headerOf(response, 'location');
      if (!REDIRECTS.has(response.statusCode) || location === undefined || (method !== 'GET' && method !== 'HEAD')) return response;
      await response.body.dump();
      if (redirects >= MAX_REDIRECTS) throw new MooringError('Unavailable', `registry ${this.host.name} redirects more than ${MAX_REDIRECTS} times`);
      const next = new URL(location, target);
      const isDowngrade = target.protocol === 'https:' && next.protocol !== 'https:';
      if (isDowngrade) throw new MooringError('Unavailable', `registry ${this.host.name} redirects from TLS to ${next.protocol}//${next.host}, which is refused`);
      target = next;
    }
  }

  async #basic(): Promise<string | undefined> {
    const credentials = await this.#credentials();
    return credentials && 'password' in credentials ? basicHeader(credentials) : undefined;
  }

  /** Docker's token protocol (distribution, "Token Authentication Specification"); with an identity token, its OAuth 2 form. */
  async #token(parameters: ReadonlyMap<string, string>): Promise<string | undefined> {
    const realm = parameters.get('realm') ?? '';
    if (!URL.canParse(realm)) throw new MooringError('Unavailable', `registry ${this.host.name} asks for a token from "${realm}", which is no address`);
    const url = new URL(realm);
    if (url.protocol !== 'https:' && this.host.origin.startsWith('https:')) throw new MooringError('Unavailable', `registry ${this.host.name} asks for a token over ${url.protocol}//, which is refused`);
    const service = parameters.get('service');
    const scopes = [...new Set([...(parameters.get('scope')?.split(' ') ?? []), ...this.#scopes])];
    const credentials = await this.#credentials();
    const response = await (credentials && 'identityToken' in credentials ? this.#refresh(url, service, scopes, credentials.identityToken) : this.#ask(url, service, scopes, credentials));
    if (response.statusCode !== 200) {
      if (response.statusCode === 401 || response.statusCode === 403) {
        await response.body.dump();
        return undefined;
      }
      throw await failureOf(response, `a token from ${url.host}`, this.host.name);
    }
    const { success, data } = tokenSchema.safeParse(tryJson(await boundedText(response)));
    const token = success ? (data.token ?? data.access_token) : undefined;
    if (success) this.#identityToken = data.refresh_token;
    if (token === undefined) throw new MooringError('Unavailable', `${url.host} gave no token for registry ${this.host.name}`);
    return `Bearer ${token}`;
  }

  #ask(url: URL, service: string | undefined, scopes: readonly string[], credentials: Credentials | undefined): Promise<Response> {
    if (service !== undefined) url.searchParams.set('service', service);
    for (const scope of scopes) url.searchParams.append('scope', scope);
    if (scopes.length === 0 && credentials && 'password' in credentials) {
      // Nothing but a login: only then a token that outlives it is wanted.
      for (const [name, value] of [['account', credentials.username], ['client_id', 'mooring'], ['offline_token', 'true']] as const) url.searchParams.set(name, value);
    }
    const headers = credentials && 'password' in credentials ? { authorization: basicHeader(credentials) } : {};
    return request(url, { dispatcher: this.host.agent, headers: { 'user-agent': 'mooring', ...headers }, ...(this.#signal && { signal: this.#signal }) });
  }

  #refresh(url: URL, service: string | undefined, scopes: readonly string[], identityToken: string): Promise<Response> {
    const form = new URLSearchParams({ grant_type: 'refresh_token', refresh_token: identityToken, client_id: 'mooring', scope: scopes.join(' '), ...(service !== undefined && { service }) });
    const headers = { 'user-agent': 'mooring', 'content-type': 'application/x-www-form-urlencoded' };
    return request(url, { method: 'POST', dispatcher: this.host.agent, headers, body: form.toString(), ...(this.#signal && { signal: this.#signal }) });
  }

  #credentials(): Promise<Credentials | undefined> {
    return this.#settings.credentials(this.host.name);
  }
}

export function headerOf({ headers }: Pick<Response, 'headers'>, name: string): string | undefined {
  const value = headers[name];
  return Array.isArray(value) ? value[0] : value;
}

/** At most so many bytes of a body. Throws `Invalid` beyond. */
export async function boundedBody({ body }: Response, limit: number, what: string): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of body as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > limit) throw new MooringError('Invalid', `${what} is larger than ${limit} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

async function boundedText(response: Response): Promise<string> {
  return (await boundedBody(response, MAX_TEXT_BYTES, 'the answer')).toString();
}

function basicHeader({ username, password }: { readonly username: string; readonly password: string }): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
}

function tryJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // the schema refuses it
  }
}

async function failureOf(response: Response, what: string, registry: string): Promise<MooringError> {
  const { statusCode: status } = response;
  const { success, data } = errorSchema.safeParse(tryJson(await boundedText(response).catch(() => '')));
  const said = success ? data.errors.map(({ code, message }) => message ?? code ?? '').filter((text) => text !== '').join('; ') : '';
  const detail = said === '' ? '' : `: ${said}`;
  if (status === 401 || status === 403) return new MooringError('Conflict', `registry ${registry} gives no access to ${what}${detail}`, { fix: `log in with "mooring login ${registry}", or see that the name is right` });
  if (status === 404) return new MooringError('NotFound', `registry ${registry} has no ${what}${detail}`, { fix: 'see that name and tag are right' });
  if (status === 429) {
    const after = retryAfterMs(headerOf(response, 'retry-after'), Date.now());
    return new MooringError('Unavailable', `registry ${registry} limits how often it is asked${detail}`, { fix: after === undefined ? 'try again later, or log in' : `try again in ${Math.ceil(after / 1000)} s, or log in` });
  }
  return new MooringError(status >= 500 ? 'Unavailable' : 'Internal', `registry ${registry} answered ${status} when asked for ${what}${detail}`);
}
