import { MooringError } from '../../lib/errors.ts';
import { parsePrincipal, parseUser, type Principal } from '../../spec/user.ts';
import { readLayeredFile } from '../images/layered-file.ts';
import type { ProcessUser } from './runtime-spec.ts';

export interface ResolvedUser extends ProcessUser {
  readonly home: string;
}

const ROOT: ResolvedUser = { uid: 0, gid: 0, additionalGids: [], home: '/root' };

/** The user with further groups, each an id or a name of the image's `/etc/group`. `Invalid` for a name that the image doesn't know. */
export async function withGroups(user: ResolvedUser, groups: readonly string[], layers: readonly string[]): Promise<ResolvedUser> {
  if (groups.length === 0) return user;
  const known = await readEntries(layers, '/etc/group');
  const ids = groups.map((text) => {
    const group = parsePrincipal(text);
    const id = 'id' in group ? group.id : idIn(known.find((fields) => fields[0] === group.name)?.[2]);
    if (id === undefined) throw new MooringError('Invalid', `supplemental group "${text}" can't be resolved: the image's /etc/group has no group of that name`, { fix: 'give its id' });
    return id;
  });
  return { ...user, additionalGids: [...new Set([...user.additionalGids, ...ids])] };
}

/**
 * Resolves `user`, `uid`, `user:group`, `uid:gid` and their mixes by the image's own `/etc/passwd` and `/etc/group` (layers top first).
 * Digits are always an id and never a name. A user without a group gets the group of its passwd entry, or 0 without an entry, and
 * the groups that list it; with a group named, that group alone. Empty means root. `Invalid` for what the image doesn't know.
 */
export async function resolveUser(text: string, layers: readonly string[]): Promise<ResolvedUser> {
  if (text === '') return ROOT;
  const { user, group } = parseUser(text);
  const [accounts, groups] = await Promise.all([readEntries(layers, '/etc/passwd'), readEntries(layers, '/etc/group')]);

  const account = accounts.find((fields) => ('id' in user ? idIn(fields[2]) === user.id : fields[0] === user.name && idIn(fields[2]) !== undefined));
  const uid = 'id' in user ? user.id : idIn(account?.[2]);
  if (uid === undefined) throw unknown(text, user, 'user', '/etc/passwd');
  const home = account?.[5] || '/';

  if (group) {
    const gid = 'id' in group ? group.id : idIn(groups.find((fields) => fields[0] === group.name)?.[2]);
    if (gid === undefined) throw unknown(text, group, 'group', '/etc/group');
    return { uid, gid, additionalGids: [], home };
  }
  const name = account?.[0];
  const memberOf = groups.filter((fields) => name !== undefined && fields[3]?.split(',').includes(name));
  return { uid, gid: idIn(account?.[3]) ?? 0, additionalGids: memberOf.flatMap((fields) => idIn(fields[2]) ?? []), home };
}

/** The lines of passwd(5) or group(5) in fields; none when the image has no such file. */
async function readEntries(layers: readonly string[], file: string): Promise<string[][]> {
  const text = (await readLayeredFile(layers, file)) ?? '';
  return text.split('\n').map((line) => line.split(':'));
}

function idIn(field: string | undefined): number | undefined {
  return field !== undefined && /^[0-9]{1,10}$/.test(field) && Number(field) < 2 ** 31 ? Number(field) : undefined;
}

function unknown(text: string, principal: Principal, what: string, file: string): MooringError {
  const name = 'name' in principal ? principal.name : String(principal.id);
  return new MooringError('Invalid', `user "${text}" can't be resolved: the image's ${file} has no ${what} "${name}"`, {
    fix: 'give spec.user as numbers, uid or uid:gid, or as names that the image has',
  });
}
