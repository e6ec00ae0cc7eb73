import type { Container } from '../../spec/container.ts';
import { parseTmpfsSize } from '../../spec/resources.ts';
import type { HostFacts } from './host-facts.ts';
import { type OwnMount, runtimeMount } from './own-mounts.ts';
import type { RuntimeMount } from './runtime-spec.ts';

/**
 * All mounts of a container in the order in which they are made: the kernel's file systems, what its network needs, then its own.
 * @param shm Folder to show as /dev/shm, in place of a file system of its own.
 */
export function bundleMounts(spec: Container['spec'], host: HostFacts, nameFiles: Readonly<Record<string, string>>, shm: string | undefined, mounts: readonly OwnMount[]): RuntimeMount[] {
  const own = mounts.map(runtimeMount).sort((a, b) => depth(a.destination) - depth(b.destination)); // a mount point's parents come first
  const taken = new Set(own.map((mount) => mount.destination));
  const hosts = spec.network.mode === 'Host' ? host.nameFiles.filter((file) => !(file in nameFiles)).map((file) => nameMount(file, file, 'ro')) : [];
  const names = Object.entries(nameFiles).map(([file, source]) => nameMount(file, source, spec.readOnlyRootFilesystem ? 'ro' : 'rw'));
  return [...kernelMounts(spec, shm), ...hosts, ...names, ...own].filter((mount) => own.includes(mount) || !taken.has(mount.destination));
}

/** The OCI spec's default file systems (config-linux.md) with Docker's options. */
function kernelMounts({ privileged, shmSize, namespaces: { ipc } }: Pick<Container['spec'], 'privileged' | 'shmSize' | 'namespaces'>, sharedShm: string | undefined): RuntimeMount[] {
  const shmOptions = ['nosuid', 'noexec', 'nodev'];
  const shmSource = ipc === 'Host' ? '/dev/shm' : sharedShm;
  const shm: RuntimeMount[] =
    ipc === 'None'
      ? []
      : shmSource === undefined
        ? [{ destination: '/dev/shm', type: 'tmpfs', source: 'shm', options: [...shmOptions, 'mode=1777', `size=${parseTmpfsSize(shmSize)}`] }]
        : [{ destination: '/dev/shm', type: 'bind', source: shmSource, options: ['bind', 'private', ...shmOptions] }];
  const sysfs = ['nosuid', 'noexec', 'nodev', privileged ? 'rw' : 'ro'];
  return [
    { destination: '/proc', type: 'proc', source: 'proc', options: ['nosuid', 'noexec', 'nodev'] },
    { destination: '/dev', type: 'tmpfs', source: 'tmpfs', options: ['nosuid', 'strictatime', 'mode=755', 'size=65536k'] },
    { destination: '/dev/pts', type: 'devpts', source: 'devpts', options: ['nosuid', 'noexec', 'newinstance', 'ptmxmode=0666', 'mode=0620', 'gid=5'] },
    ...shm,
    { destination: '/dev/mqueue', type: 'mqueue', source: 'mqueue', options: ['nosuid', 'noexec', 'nodev'] },
    { destination: '/sys', type: 'sysfs', source: 'sysfs', options: sysfs },
    { destination: '/sys/fs/cgroup', type: 'cgroup', source: 'cgroup', options: [...sysfs, 'relatime'] },
  ];
}

/** The host's own file, read-only: with the host's network come the host's names. Or one of the container's own, in place of its image's. */
function nameMount(destination: string, source: string, access: 'ro' | 'rw'): RuntimeMount {
  return { destination, type: 'bind', source, options: ['bind', access, 'nosuid', 'nodev', 'noexec', 'private'] };
}

function depth(path: string): number {
  return path.split('/').filter(Boolean).length;
}
