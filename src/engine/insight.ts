import type { Duplex } from 'node:stream';
import type { Container } from '../spec/container.ts';
import type { ContainerName } from '../spec/name.ts';
import type { ContainerId, ExitRecord, InterfaceStats } from './engine.ts';

/** A container's place on one network. Addresses are text. */
export interface NetworkPlace {
  /** `default`, or `<namespace>/<name>`. */
  readonly network: string;
  readonly address4: string;
  readonly prefix4: number;
  readonly gateway4: string;
  readonly address6?: string;
  readonly prefix6?: number;
  readonly gateway6?: string;
  readonly mac: string;
  readonly aliases: readonly string[];
}

/** A volume in a container, its own ones and those that its image asked for among them. */
export interface VolumePlace {
  readonly mountPath: string;
  /** `<namespace>/<name>`; of a volume of the container's own a name that nobody gave. */
  readonly volume: string;
  /** The folder of the node that it is; undefined where it is a mount of something else. */
  readonly source: string | undefined;
}

/** What is on record of a container, without a look at the kernel. */
export interface ContainerRecordView {
  readonly id: ContainerId;
  readonly name: ContainerName;
  /** The document that it was made from. */
  readonly container: Container;
  readonly imageId: string;
  /** Milliseconds since the epoch. */
  readonly createdAt: number;
  /** Holds its log, its name files and its writable layer. */
  readonly bundle: string;
  readonly log: string;
  readonly networks: readonly NetworkPlace[];
  readonly volumes: readonly VolumePlace[];
}

/** One row of the block devices' accounting. */
export interface BlockCounter {
  readonly major: number;
  readonly minor: number;
  /** `Read`, `Write`, and what else the kernel counts. */
  readonly operation: string;
  readonly value: number;
}

/** Kernel counters of one running container, as its control groups have them. Times are nanoseconds, sizes bytes. */
export interface ContainerUsage {
  readonly cpu: {
    readonly usage: number;
    readonly user: number;
    readonly system: number;
    /** Of each processor; none where the kernel does not count them (version 2). */
    readonly perProcessor: readonly number[];
    readonly periods: number;
    readonly throttledPeriods: number;
    readonly throttledTime: number;
  };
  /** Of all processors of the node since it booted. */
  readonly nodeCpu: { readonly usage: number; readonly processors: number };
  readonly memory: {
    readonly usage: number;
    /** Undefined where the kernel does not keep it. */
    readonly maxUsage?: number;
    readonly failures?: number;
    /** The container's, or what the node has where that is less. */
    readonly limit: number;
    /** `memory.stat`. */
    readonly stat: Readonly<Record<string, number>>;
  };
  readonly pids: { readonly current: number; /** Undefined without a limit. */ readonly limit?: number };
  readonly block: { readonly bytes: readonly BlockCounter[]; readonly operations: readonly BlockCounter[] };
  readonly network: readonly InterfaceStats[];
}

/** What faces want to know and have of one container beyond what keeps it as desired. `NotFound` for an id that is nobody's. */
export interface ContainerInsight {
  record(id: ContainerId): ContainerRecordView;
  /** How its last run ended; undefined before one has. */
  lastExit(id: ContainerId): Promise<ExitRecord | undefined>;
  /** The folders that its root file system is made of, the image's layers from the top. */
  layers(id: ContainerId): Promise<{ readonly lower: readonly string[]; readonly upper: string; readonly work: string }>;
  /** The processes of a container on the node, in the order of their pids. */
  pids(id: ContainerId): Promise<number[]>;
  /** Undefined while it does not run. */
  usage(id: ContainerId): Promise<ContainerUsage | undefined>;
  /**
   * A connection as `ContainerEngine.attach` gives one, to the container's next run and from its first byte on: settles once that has begun. The container waits with
   * what it writes until it is there, and waits for its reader from then on. Rejects once the signal is aborted.
   */
  attachNext(id: ContainerId, signal: AbortSignal): Promise<Duplex>;
}
