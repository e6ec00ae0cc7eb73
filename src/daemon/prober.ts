import type { ImageHealthcheck } from '../engine/images/oci-image.ts';
import type { ImageEngine } from '../engine/images.ts';
import type { Clock } from '../lib/clock.ts';
import { messageOf } from '../lib/errors.ts';
import type { ProbeAction, ProbeAnswer, Prober } from '../reconcile/prober.ts';
import { byDeadline } from './probes/deadline.ts';
import { type ProbeEngine, probeByExec } from './probes/exec.ts';
import { probeByGrpc } from './probes/grpc.ts';
import { probeByHttp } from './probes/http.ts';
import { probeByTcp } from './probes/tcp.ts';

/** Images whose health checks are remembered: an image never changes, and each start asks. */
const REMEMBERED = 256;

/** Probes by processes that the engine adds to the container, and from the node by its network. */
export function createProber(engine: ProbeEngine, images: Pick<ImageEngine, 'inspect'>, clock: Clock): Prober {
  const remembered = new Map<string, Promise<ImageHealthcheck | null | undefined>>();
  return {
    imageHealthcheck(imageId) {
      const known = remembered.get(imageId);
      if (known !== undefined) return known;
      const found = images.inspect(imageId).then(({ config }) => config.config?.Healthcheck);
      found.catch(() => remembered.delete(imageId));
      if (remembered.size === REMEMBERED) remembered.delete(remembered.keys().next().value ?? '');
      remembered.set(imageId, found);
      return found;
    },

    probe({ id, address }, action, timeoutMs) {
      return action.exec === undefined ? probeByNetwork(address, action, timeoutMs, clock) : probeByExec(engine, id, action.exec.command, timeoutMs, clock);
    },
  };
}

async function probeByNetwork(own: string | undefined, { httpGet, tcpSocket, grpc }: ProbeAction, timeoutMs: number, clock: Clock): Promise<ProbeAnswer> {
  const address = httpGet?.host ?? tcpSocket?.host ?? own;
  if (address === undefined) return { exitCode: -1, output: 'it has no address that the node could reach it at; probe it by exec' };
  const port = httpGet?.port ?? tcpSocket?.port ?? grpc?.port;
  try {
    const answer = await byDeadline(timeoutMs, clock, async (signal) => {
      if (httpGet !== undefined) return probeByHttp(httpGet, address, signal);
      return tcpSocket === undefined ? probeByGrpc(grpc?.port ?? 0, grpc?.service ?? '', address, signal) : probeByTcp(tcpSocket.port, address, signal);
    });
    return answer ?? { exitCode: -1, output: `there was no answer from ${address} port ${port} within ${timeoutMs / 1000} s` };
  } catch (error) {
    return { exitCode: 1, output: `${address} port ${port}: ${messageOf(error)}` };
  }
}
