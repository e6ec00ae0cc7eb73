/** What a token may do with the containers it is for, from the least on; none holds another. */
export const TOKEN_VERBS = ['read', 'exec', 'write'] as const;
export type TokenVerb = (typeof TOKEN_VERBS)[number];

/** What a token may do, and with which containers. Whatever is not said here it may not. */
export interface TokenScope {
  readonly verbs: readonly TokenVerb[];
  /** Names, in which `*` stands for any characters and `?` for one. */
  readonly containers: readonly string[];
  readonly namespaces: readonly string[];
  /** RFC 3339: from then on it allows nothing. Undefined for one that is good until it is revoked. */
  readonly expiresAt?: string;
}

/** A token as it is listed: the secret itself is nowhere. */
export interface TokenObject extends TokenScope {
  readonly name: string;
  readonly createdAt: string;
}

/** Answer to `POST /v1/tokens`. */
export interface CreatedToken extends TokenObject {
  readonly kind: 'Token';
  /** Shown this once. */
  readonly secret: string;
}

/** Answer to `GET /v1/tokens`. */
export interface TokenList {
  readonly kind: 'TokenList';
  readonly items: readonly TokenObject[];
}
