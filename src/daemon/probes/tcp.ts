import { connect } from 'node:net';
import type { ProbeAnswer } from '../../reconcile/prober.ts';

/** Probes by a connection, which is closed again at once. */
export function probeByTcp(port: number, address: string, signal: AbortSignal): Promise<ProbeAnswer> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: address, signal });
    socket.once('connect', () => {
      socket.destroy();
      resolve({ exitCode: 0, output: `connected to ${address} port ${port}` });
    });
    socket.on('error', reject);
  });
}
