import { once } from 'node:events';
import { createServer } from 'node:net';
import { errnoOf, MooringError } from '../lib/errors.ts';

/**
 * Takes an instance's name for this process: two daemons of one name would each collect the other's cgroups, whatever their folders.
 * An abstract socket (unix(7)) is the lock: the kernel gives it back however the process ends. Throws `Conflict` where another holds it.
 */
export async function lockInstance(instance: string): Promise<AsyncDisposable> {
  const server = createServer((connection) => connection.destroy());
  server.listen(`\0mooring-instance-${instance}`);
  try {
    await once(server, 'listening');
  } catch (error) {
    if (errnoOf(error) !== 'EADDRINUSE') throw error;
    throw new MooringError('Conflict', `a daemon of instance "${instance}" runs on this machine already`, {
      fix: 'stop it first, or give this one its own --instance, --data-dir and --run-dir',
    });
  }
  server.unref();
  return server;
}
