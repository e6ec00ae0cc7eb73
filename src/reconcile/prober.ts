import type { ContainerId } from '../engine/engine.ts';
import type { ImageHealthcheck } from '../engine/images/oci-image.ts';
import { MooringError } from '../lib/errors.ts';
import type { ContainerProbe } from '../spec/probe.ts';

/** One way to see how a container is: exactly one of these is given. */
export type ProbeAction = Pick<ContainerProbe, 'exec' | 'httpGet' | 'tcpSocket' | 'grpc'>;

/** What is probed. */
export interface ProbeTarget {
  readonly id: ContainerId;
  /** Where the node reaches it; undefined for a container without an address. */
  readonly address: string | undefined;
}

/** What one probe said. */
export interface ProbeAnswer {
  /** 0 says that all is well; -1 for one that took too long, or could not be made. */
  readonly exitCode: number;
  /** What was heard, for people; at most 4 KiB. */
  readonly output: string;
}

/** What the reconciler needs of the rooms below to probe containers. */
export interface Prober {
  /** What the image with that id asks for. */
  imageHealthcheck(imageId: string): Promise<ImageHealthcheck | null | undefined>;
  /** Makes one probe, which ends after `timeoutMs` milliseconds at the latest. `Conflict` and `NotFound` where the container does not run, or is paused. */
  probe(target: ProbeTarget, action: ProbeAction, timeoutMs: number): Promise<ProbeAnswer>;
}

export const noProber: Prober = {
  imageHealthcheck: () => Promise.resolve(undefined),
  probe: () => Promise.reject(new MooringError('Unsupported', 'there is nobody to probe containers')),
};
