import { posix } from 'node:path';
import { PROPAGATIONS, propagated } from './bind-mount.ts';
import type { MountConfig } from './create-body.ts';
import type { CreateContext } from './create-context.ts';
import { anonymousVolume, mountPoint, namedVolume, type PlacedMount } from './placed-mount.ts';
import { bad, unsupported } from './refusal.ts';
import { withNoexec } from './tmpfs-mount.ts';

/** One of HostConfig.Mounts. */
export function typedMount(mount: MountConfig, context: CreateContext, autoRemove: boolean): PlacedMount {
  const { Type: type, Target: target, Source: source } = mount;
  if (target === '') throw wrong(type, 'field Target must not be empty');
  if (!target.startsWith('/')) throw wrong(type, `invalid mount path: '${target}' mount path must be absolute`);
  const mountPath = mountPoint(target);
  switch (type) {
    case 'bind':
      return bind(mount, mountPath);
    case 'volume':
      return volume(mount, mountPath, context, autoRemove);
    case 'tmpfs':
      if (source !== '') throw wrong(type, 'field Source must not be specified');
      return tmpfs(mount, mountPath);
    default:
      throw wrong(type, 'mount type unknown');
  }
}

function bind({ Source: source, ReadOnly: readOnly, BindOptions: options, VolumeOptions: volumeOptions }: MountConfig, mountPath: string): PlacedMount {
  if (source === '') throw wrong('bind', 'field Source must not be empty');
  if (!source.startsWith('/')) throw wrong('bind', `invalid mount path: '${source}' mount path must be absolute`);
  if (volumeOptions) throw wrong('bind', 'field VolumeOptions must not be specified');
  const propagation = options?.Propagation ?? '';
  if (propagation !== '' && !Object.hasOwn(PROPAGATIONS, propagation)) throw wrong('bind', `invalid propagation mode: ${propagation}`);
  return {
    mount: {
      mountPath,
      readOnly,
      ...(options?.ReadOnlyNonRecursive && { recursiveReadOnly: false }),
      bind: { source: posix.resolve('/', source), createSource: options?.CreateMountpoint ?? false, recursive: !options?.NonRecursive, ...propagated(PROPAGATIONS[propagation]) },
    },
  };
}

function volume({ Source: source, ReadOnly: readOnly, VolumeOptions: options, BindOptions: bindOptions }: MountConfig, mountPath: string, context: CreateContext, autoRemove: boolean): PlacedMount {
  if (bindOptions) throw wrong('volume', 'field BindOptions must not be specified');
  const driver = options?.DriverConfig?.Name ?? '';
  if (driver !== '' && driver !== 'local') throw unsupported(`volume driver "${driver}"`, 'leave it out, or use local');
  const details = { readOnly, noCopy: options?.NoCopy ?? false, subPath: options?.Subpath ?? '', options: options?.DriverConfig?.Options ?? {}, labels: options?.Labels ?? {} };
  return source === '' ? anonymousVolume(mountPath, details, context, autoRemove) : namedVolume(source, mountPath, details, context);
}

function tmpfs({ ReadOnly: readOnly, TmpfsOptions: options }: MountConfig, mountPath: string): PlacedMount {
  const { SizeBytes: size = 0, Mode: mode = 0, Options: more = [] } = options ?? {};
  return { mount: { mountPath, readOnly, tmpfs: { ...(size > 0 && { size }), ...(mode > 0 && { mode: mode.toString(8).padStart(3, '0') }), options: withNoexec(more.map((words) => words.join('='))) } } };
}

function wrong(type: string, why: string): Error {
  return bad(`invalid mount config for type "${type}": ${why}`);
}
