import type { Logger } from '../../lib/logger.ts';
import type { Native } from '../../native/native.ts';
import type { ImageStore } from '../images/image-store.ts';
import type { DataDir } from '../store/data-dir.ts';
import type { Database } from '../store/database.ts';

/** What an engine of containers stands on. */
export interface ContainerEngineOptions {
  readonly dataDir: DataDir;
  readonly runDir: string;
  /** Sets our cgroups apart from those of other daemons on this machine. */
  readonly instance: string;
  readonly native: Native;
  readonly database: Database;
  readonly images: ImageStore;
  readonly logger: Logger;
  /** The static `mooring-runtime` binary, which `mooring-archive` lies beside. */
  readonly runtimePath: string;
  /** How many sandboxes are made ahead; none by default. */
  readonly sandboxes?: number;
}
