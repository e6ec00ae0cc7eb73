import { quoted } from '../lib/text.ts';
import { invalid } from './invalid.ts';

/** A user or a group, by number or by a name that the container's own passwd or group file resolves. */
export type Principal = { readonly id: number } | { readonly name: string };

export interface UserReference {
  readonly user: Principal;
  /** Undefined: the user's primary group, or 0 where the image does not know the user. */
  readonly group?: Principal;
}

const PRINCIPAL = '([0-9]{1,10}|[A-Za-z_][A-Za-z0-9_.@-]{0,254}[$]?)';
/** An id or a name of a user or a group. */
export const PRINCIPAL_PATTERN = new RegExp(`^${PRINCIPAL}$`);
export const USER_PATTERN = new RegExp(`^${PRINCIPAL}(:${PRINCIPAL})?$`);
export const USER_MAX_LENGTH = 513;
/** The largest id that Kubernetes and Docker take. */
const MAX_ID = 2 ** 31 - 1;

/** Parses `uid`, `uid:gid`, `name`, `name:group` and their mixtures. Throws `Invalid`. */
export function parseUser(text: string): UserReference {
  const match = text.length <= USER_MAX_LENGTH ? USER_PATTERN.exec(text) : null;
  if (match === null) throw invalid(`${quoted(text)} is not a user`, 'write uid, uid:gid, name or name:group');
  const user = parsePrincipal(match[1] ?? '');
  return match[3] === undefined ? { user } : { user, group: parsePrincipal(match[3]) };
}

/** Throws `Invalid` for an id that is too large. */
export function parsePrincipal(text: string): Principal {
  if (!/^[0-9]+$/.test(text)) return { name: text };
  const id = Number(text);
  if (id > MAX_ID) throw invalid(`the id ${text} is too large`, `use at most ${MAX_ID}`);
  return { id };
}
