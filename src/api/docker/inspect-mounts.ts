import { posix } from 'node:path';
import type { ContainerRecordView } from '../../engine/insight.ts';
import type { CreateBody } from './create/create-body.ts';

/** One row of `Mounts`, in an inspection and in a list. */
export interface MountPoint {
  readonly Type: 'bind' | 'volume' | 'tmpfs';
  readonly Name?: string;
  readonly Source: string;
  readonly Destination: string;
  readonly Driver?: string;
  readonly Mode: string;
  readonly RW: boolean;
  readonly Propagation: string;
}

const PROPAGATION = { None: 'rprivate', HostToContainer: 'rslave', Bidirectional: 'rshared' } as const;

/** What is mounted in a container beside the kernel's own file systems; `--tmpfs` is in `HostConfig.Tmpfs` alone. */
export function mountBlock({ container, volumes }: ContainerRecordView, request: Pick<CreateBody, 'HostConfig'>, dockerVolume: (name: string) => string): MountPoint[] {
  const { mounts } = container.spec;
  const modes = bindModes(request.HostConfig.Binds);
  const mountAt = new Map(mounts.map((mount) => [mount.mountPath, mount]));
  const bound = mounts.flatMap(({ bind, tmpfs, mountPath, readOnly }): MountPoint[] => {
    if (bind) return [{ Type: 'bind', Source: bind.source, Destination: mountPath, Mode: modes.get(mountPath) ?? '', RW: !readOnly, Propagation: PROPAGATION[bind.propagation] }];
    if (tmpfs && !(mountPath in request.HostConfig.Tmpfs)) return [{ Type: 'tmpfs', Source: '', Destination: mountPath, Mode: '', RW: !readOnly, Propagation: '' }];
    return [];
  });
  const kept = volumes.map(
    ({ mountPath, volume, source }): MountPoint => ({ Type: 'volume', Name: dockerVolume(volume), Source: source ?? '', Destination: mountPath, Driver: 'local', Mode: modes.get(mountPath) ?? 'z', RW: mountAt.get(mountPath)?.readOnly !== true, Propagation: '' }),
  );
  return [...bound, ...kept];
}

/** What stands behind the second colon of `-v`, by the place in the container. */
function bindModes(binds: readonly string[]): Map<string, string> {
  return new Map(
    binds.flatMap((bind) => {
      const [, target, mode] = bind.split(':');
      return target !== undefined && mode !== undefined ? [[posix.resolve('/', target), mode] as const] : [];
    }),
  );
}
