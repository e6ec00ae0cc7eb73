import type { ProcessIdentity } from '../../native/native.ts';
import type { Container } from '../../spec/container.ts';

/** Where a container's files are now. Folders are absolute. */
export interface ContainerFileSystem {
  /** `namespace/name`. */
  readonly name: string;
  readonly container: Container;
  readonly imageId: string;
  /** Its first process, while it runs: what that has mounted are the container's files. */
  readonly init: ProcessIdentity | undefined;
  /** Below every hierarchy's mount point. */
  readonly cgroup: string;
  /** Folders of the image's layers, top first. */
  readonly lower: readonly string[];
  readonly upper: string;
  readonly work: string;
  readonly readOnly: boolean;
  /** What the runtime makes in it before the program runs: places to mount on, and the folder to start in. */
  readonly mountPoints: readonly string[];
  /** What will be mounted from elsewhere once it runs. */
  readonly binds: readonly { readonly source: string; readonly part: string; readonly place: string; readonly readOnly: boolean }[];
}

/** Mount points that every container has, made in its writable folder where the image lacks them: no change of its own. */
export const RUNTIME_MOUNT_POINTS: readonly string[] = ['/proc', '/sys', '/dev', '/etc/hosts', '/etc/hostname', '/etc/resolv.conf'];
