import type { DownProgress } from './types.ts';

/** The daemon's flags as the command line has them; the daemon validates them. */
export interface DaemonFlags {
  readonly specs: string;
  readonly dataDir: string;
  readonly runDir: string;
  /** `HOST:PORT`, or `off`. */
  readonly metricsAddr: string;
  readonly metricsTokenFile?: string;
  /** `tcp://HOST:PORT`, where the Docker Engine API is served with mutual TLS. */
  readonly dockerAddr?: string;
  /** File of the authority that the certificates of clients are signed by. */
  readonly tlsCa?: string;
  /** Files of the daemon's own certificate and its key. */
  readonly tlsCert?: string;
  readonly tlsKey?: string;
  /** Origins of pages that may use the API on TCP. */
  readonly dockerOrigin?: readonly string[];
  /** Ask for a token on TCP, and serve a socket that does. */
  readonly dockerTokens?: boolean;
  readonly instance: string;
  readonly logLevel: string;
  readonly resyncInterval: string;
  /** How many sandboxes are made ahead. */
  readonly sandboxes?: string;
  /** File that says how registries are reached. */
  readonly registries?: string;
  /** Folder of the secrets that `spec.imagePullSecrets` names. */
  readonly pullSecrets?: string;
  /** Files of authorities to trust for registries. */
  readonly registryCa?: readonly string[];
  /** Registries that may be spoken to in plain HTTP. */
  readonly insecureRegistry?: readonly string[];
}

export type TakeDownFlags = Pick<DaemonFlags, 'dataDir' | 'runDir' | 'instance' | 'logLevel'>;

export interface RunningDaemon {
  readonly socket: string;
  readonly metricsUrl: string | null;
  /** Settles once the daemon has stopped, by a signal or by `down`. */
  readonly stopped: Promise<{ readonly takenDown: boolean }>;
}

/** What `dist/daemon.js` exports: the command loads it only to be the daemon, or to take containers down without one. */
export interface DaemonModule {
  /** Starts everything; SIGINT and SIGTERM stop it and leave the containers running. */
  readonly startDaemon: (flags: DaemonFlags) => Promise<RunningDaemon>;
  /** Removes every container of an instance whose daemon does not run. */
  readonly takeDownWithoutDaemon: (flags: TakeDownFlags, onProgress: (progress: DownProgress) => void) => Promise<void>;
}
