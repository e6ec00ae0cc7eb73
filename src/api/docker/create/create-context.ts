import type { ImageRuntimeConfig } from '../../../engine/images/oci-image.ts';
import type { Mount } from '../../../spec/mount.ts';

/** What a request to create a container leans on beside its body. All names are of namespace `default`. */
export interface CreateContext {
  readonly names: {
    /** Without a slash. */
    readonly docker: string;
    /** `metadata.name`. */
    readonly resource: string;
  };
  readonly image: {
    /** As `spec.image` takes it. */
    readonly reference: string;
    readonly config: ImageRuntimeConfig;
  };
  /** `metadata.name` of the Network that has this Docker name, id or beginning of an id. */
  readonly network: (reference: string) => string | undefined;
  /** `metadata.name` and mounts of the container that has this Docker name, id or beginning of an id. */
  readonly container: (reference: string) => { readonly name: string; readonly mounts: readonly Mount[] } | undefined;
  /** `metadata.name` of the Volume of this Docker name, whether or not there is one. */
  readonly volume: (dockerName: string) => string;
  /** 64 hexadecimal digits, random. */
  readonly newVolumeName: () => string;
  /** A port of the node that nobody has, from `first` to `last`; none twice. Undefined when all are taken. */
  readonly freePort: (want: PortWish) => number | undefined;
  /** The node's address that containers of the default network reach it at. */
  readonly hostGateway: string | undefined;
  /** Whether the kernel limits memory and swap together. */
  readonly swapAccounting: boolean;
  /** Which of the two limits memory and CPU time. */
  readonly cgroupVersion: 1 | 2;
}

export interface PortWish {
  readonly protocol: 'TCP' | 'UDP' | 'SCTP';
  /** Undefined: all of the node's addresses. */
  readonly ip: string | undefined;
  readonly first: number;
  readonly last: number;
}
