import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import path from 'node:path';

import { errnoOf, MooringError } from '../../lib/errors.ts';

/** Connects to a monitor's socket; undefined when none serves it. */
export async function connectAttach(socketPath: string): Promise<Socket | undefined> {
  // A socket's address holds 107 bytes, a path as many as it likes: so it goes by the folder's descriptor.
  const folder = await open(path.dirname(socketPath), constants.O_RDONLY | constants.O_DIRECTORY).catch((error: unknown) => {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw error;
  });
  try {
    return folder && (await connected(connect(`/proc/self/fd/${folder.fd}/${path.basename(socketPath)}`)));
  } catch (error) {
    if (errnoOf(error) === 'ENOENT' || errnoOf(error) === 'ECONNREFUSED') return undefined; // a monitor that was killed leaves its socket
    throw new MooringError('Unavailable', `connect to ${socketPath}`, { cause: error });
  } finally {
    await folder?.close();
  }
}

function connected(socket: Socket): Promise<Socket> {
  return new Promise((resolve, reject) => {
    socket.once('error', reject);
    socket.once('connect', () => {
      socket.off('error', reject);
      resolve(socket);
    });
  });
}
