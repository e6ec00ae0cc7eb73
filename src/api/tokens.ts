import { createHash, randomBytes } from 'node:crypto';
import { z } from 'zod';
import type { TokenRecord, TokenRecords } from '../engine/store/token-records.ts';
import type { Clock } from '../lib/clock.ts';
import { MooringError } from '../lib/errors.ts';
import { durationMs } from '../spec/duration.ts';
import { DNS_LABEL } from '../spec/kubernetes-names.ts';
import { type CreatedToken, TOKEN_VERBS, type TokenObject, type TokenScope } from './v1/token-types.ts';

/** What the bearer of a token may do. */
export interface Grant extends TokenScope {
  /** The token's name. */
  readonly name: string;
}

/** Tells a secret from other texts, for those who look for what has leaked. */
const PREFIX = 'mooring_';
/** Too many to be guessed, so that a plain hash of it is enough. */
const SECRET_BYTES = 32;
const MAX_PATTERNS = 64;
const SHORTEST_MS = 1000;
const LONGEST_MS = 87_600 * 3_600_000;

const dnsLabel = z.string().regex(DNS_LABEL.pattern, 'is no DNS label').max(63);
const request = z.strictObject({
  name: dnsLabel,
  verbs: z.array(z.enum(TOKEN_VERBS)).min(1),
  containers: z.array(z.string().regex(/^[a-zA-Z0-9_.*?-]{1,255}$/, 'is no name or pattern of one')).min(1).max(MAX_PATTERNS),
  namespaces: z.array(dnsLabel).min(1).max(MAX_PATTERNS),
  /** A span from now on. */
  expires: z.string().max(64).optional(),
});

/** The tokens of this node. */
export class ApiTokens {
  readonly #records: TokenRecords<TokenScope>;
  readonly #clock: Clock;

  constructor(records: TokenRecords<TokenScope>, clock: Clock) {
    this.#records = records;
    this.#clock = clock;
  }

  /** Makes a token of what was asked for. Throws `Invalid`, or `Conflict` where the name is taken. */
  create(asked: unknown): CreatedToken {
    const { success, data, error } = request.safeParse(asked);
    if (!success) {
      const [issue] = error.issues;
      throw new MooringError('Invalid', `a token's ${issue?.path.join('.') || 'request'}: ${issue?.message ?? 'is invalid'}`);
    }
    const { name, expires, ...allowed } = data;
    const scope = { ...allowed, ...(expires !== undefined && { expiresAt: this.#endOf(expires) }) };
    if (this.#records.get(name) !== undefined) throw new MooringError('Conflict', `token ${name} exists already`, { fix: `take another name, or revoke it first: mooring token revoke ${name}` });
    const secret = `${PREFIX}${randomBytes(SECRET_BYTES).toString('base64url')}`;
    const record = { name, hash: hashOf(secret), scope, createdAt: this.#clock.now() };
    this.#records.add(record);
    return { kind: 'Token', ...toObject(record), secret };
  }

  list(): TokenObject[] {
    return this.#records.list().map(toObject);
  }

  /** Throws `NotFound`. */
  revoke(name: string): void {
    if (this.#records.get(name) === undefined) throw new MooringError('NotFound', `there is no token ${name}`, { fix: 'see "mooring token list"' });
    this.#records.delete(name);
  }

  /** What the secret allows; in words why it allows nothing. */
  grantOf(secret: string): Grant | { readonly refusal: string } {
    const record = this.#records.find(hashOf(secret));
    if (record === undefined) return { refusal: 'this token is not valid, or was revoked' };
    const { name, scope } = record;
    const { expiresAt } = scope;
    if (expiresAt !== undefined && this.#clock.now() >= Date.parse(expiresAt)) return { refusal: `token ${name} expired at ${expiresAt}; make another with "mooring token create"` };
    return { name, ...scope };
  }

  #endOf(expires: string): string {
    const span = durationMs(expires);
    if (span < SHORTEST_MS || span > LONGEST_MS) throw new MooringError('Invalid', `a token can't expire in ${expires}`, { fix: 'give a span between 1s and 87600h (ten years), or none' });
    return new Date(this.#clock.now() + span).toISOString();
  }
}

/** Whether a token is for a container of that name and namespace. */
export function covers({ containers, namespaces }: TokenScope, name: string, namespace: string): boolean {
  return namespaces.includes(namespace) && containers.some((pattern) => matches(pattern, name));
}

/** Goes back to the last star only, so that no pattern takes long. */
function matches(pattern: string, name: string): boolean {
  let [at, star, resumeAt] = [0, -1, 0];
  let index = 0;
  while (index < name.length) {
    if (at < pattern.length && pattern[at] === '*') {
      star = at++;
      resumeAt = index;
    } else if (at < pattern.length && (pattern[at] === '?' || pattern[at] === name[index])) {
      at++;
      index++;
    } else if (star >= 0) {
      at = star + 1;
      index = ++resumeAt;
    } else return false;
  }
  return /^\**$/.test(pattern.slice(at));
}

function toObject({ name, scope, createdAt }: TokenRecord<TokenScope>): TokenObject {
  return { name, ...scope, createdAt: new Date(createdAt).toISOString() };
}

function hashOf(secret: string): string {
  return createHash('sha256').update(secret).digest('hex');
}
