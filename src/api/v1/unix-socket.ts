import { once } from 'node:events';
import { unlink } from 'node:fs/promises';
import { connect, type Server } from 'node:net';
import { errnoOf, MooringError } from '../../lib/errors.ts';

/** Listens on a unix socket with mode 0600. One that a dead daemon left is replaced; a live one is a `Conflict`. */
export async function listenOnSocket(server: Server, path: string): Promise<void> {
  await removeStaleSocket(path);
  // The mode must be right from bind(2) on: a later chmod would leave a moment for others. Node binds before listen() returns.
  const umask = process.umask(0o177);
  try {
    server.listen(path);
  } finally {
    process.umask(umask);
  }
  await once(server, 'listening');
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
