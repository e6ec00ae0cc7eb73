/** Networks and volumes as they go over the wire of the v1 API, shared by the server and the command. */
import type { NetworkStatus, VolumeStatus } from '../../spec/condition.ts';
import type { Network } from '../../spec/network.ts';
import type { Volume } from '../../spec/volume.ts';

/** One CamelCase word for tables: Ready, Pending, Failed, Removing; of a volume also Released (its data is kept, and nobody wants it) and Owned (a container's own). */
export type SupplyPhase = 'Ready' | 'Pending' | 'Failed' | 'Removing' | 'Released' | 'Owned';

export interface NetworkObject extends Omit<Network, 'metadata'> {
  readonly metadata: Network['metadata'] & { readonly generation: number };
  readonly status: NetworkStatus & {
    readonly phase: SupplyPhase;
    /** Those with an address on it. */
    readonly containers: readonly { readonly name: string; readonly addresses: readonly string[]; readonly mac: string }[];
  };
}

export interface VolumeObject extends Omit<Volume, 'metadata'> {
  readonly metadata: Volume['metadata'] & { readonly generation: number };
  readonly status: VolumeStatus & {
    readonly phase: SupplyPhase;
    /** `namespace/name` of those that have it. */
    readonly containers: readonly string[];
    /** The container whose own it is, and where that has it. */
    readonly owner?: { readonly container: string; readonly mountPath: string };
    /** Bytes of disk; only where they were asked for. */
    readonly usedBytes?: number;
  };
}

export interface NetworkList {
  readonly apiVersion: Network['apiVersion'];
  readonly kind: 'NetworkList';
  readonly items: readonly NetworkObject[];
}

export interface VolumeList {
  readonly apiVersion: Volume['apiVersion'];
  readonly kind: 'VolumeList';
  readonly items: readonly VolumeObject[];
}

/** What was removed; of volumes with the bytes of disk given back. */
export interface SupplyPrune {
  readonly kind: 'SupplyPrune';
  readonly names: readonly string[];
  readonly bytes?: number;
}

/** `POST /v1/networks/NAMESPACE/NAME/connect`. */
export interface ConnectRequest {
  /** A container's name, of the network's namespace. */
  readonly container: string;
  readonly aliases?: readonly string[];
  readonly ipv4Address?: string;
  readonly ipv6Address?: string;
  readonly macAddress?: string;
}

export interface DisconnectRequest {
  readonly container: string;
}
