import { once } from 'node:events';
import { chown, readFile, unlink } from 'node:fs/promises';
import { connect, type Server } from 'node:net';
import { errnoOf, MooringError } from '../lib/errors.ts';

/** Who may use a socket beside its owner: the members of a group that is there by this name, or nobody. */
export interface SocketAccess {
  readonly group?: string;
}

/**
 * Listens on a unix socket with mode 0600, or 0660 and the group's where one is named that the node has. One that a dead daemon left is replaced; a live one is
 * a `Conflict`.
 */
export async function listenOnSocket(server: Server, path: string, { group }: SocketAccess = {}): Promise<void> {
  const gid = group === undefined ? undefined : await gidOf(group);
  await removeStaleSocket(path);
  // The mode must be right from bind(2) on: a later chmod would leave a moment for others. Node binds before listen() returns.
  const umask = process.umask(gid === undefined ? 0o177 : 0o117);
  try {
    server.listen(path);
  } finally {
    process.umask(umask);
  }
  await once(server, 'listening');
  if (gid !== undefined) await chown(path, process.getuid?.() ?? 0, gid);
}

/** Removes the socket that a dead daemon left, if there is one; a live one is a `Conflict`. */
export async function removeStaleSocket(path: string): Promise<void> {
  if (await isAnswered(path)) {
    throw new MooringError('Conflict', `another daemon answers on ${path}`, { fix: 'stop it first, or give this one its own --run-dir, --data-dir and --instance' });
  }
  await unlink(path).catch((error: unknown) => {
    if (errnoOf(error) !== 'ENOENT') throw error;
  });
}

function isAnswered(path: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const socket = connect(path);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', (error) => {
      const errno = errnoOf(error);
      if (errno === 'ENOENT' || errno === 'ECONNREFUSED') resolve(false);
      else reject(new MooringError('Unavailable', `look whether a daemon answers on ${path}`, { cause: error }));
    });
  });
}

/** The id of a group of the node's own file of groups (group(5)); undefined where it has none of that name. */
async function gidOf(group: string): Promise<number | undefined> {
  const text = await readFile('/etc/group', 'utf8').catch((error: unknown) => {
    if (errnoOf(error) === 'ENOENT') return '';
    throw new MooringError('Unavailable', 'read /etc/group', { cause: error });
  });
  const line = text.split('\n').find((each) => each.startsWith(`${group}:`));
  const gid = Number(line?.split(':')[2]);
  return Number.isInteger(gid) ? gid : undefined;
}
