import { readFile } from 'node:fs/promises';
import { MooringError } from '../lib/errors.ts';

/** Throws `Unsupported`, saying what to do, where this process or kernel can't run containers at all. */
export async function checkHost(): Promise<void> {
  if (process.platform !== 'linux') throw new MooringError('Unsupported', `containers need Linux, this is ${process.platform}`);
  if (process.geteuid?.() !== 0) throw new MooringError('Unsupported', 'the daemon makes namespaces, mounts and cgroups, which only root may', { fix: 'run it as root' });
  const [filesystems, mounts] = await Promise.all([readFile('/proc/filesystems', 'utf8'), readFile('/proc/self/mounts', 'utf8')]);
  if (!/\toverlay$/m.test(filesystems)) throw new MooringError('Unsupported', 'this kernel has no overlayfs', { fix: 'load it with "modprobe overlay"' });
  if (!/^\S+ \S+ cgroup2? /m.test(mounts)) throw new MooringError('Unsupported', 'no cgroup hierarchy is mounted', { fix: 'mount it with "mount -t cgroup2 none /sys/fs/cgroup"' });
}
