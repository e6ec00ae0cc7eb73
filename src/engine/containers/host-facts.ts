import { readdir, readFile } from 'node:fs/promises';
import { release } from 'node:os';

import { errnoOf } from '../../lib/errors.ts';
import { exists } from '../../lib/exists.ts';
import { capabilitiesIn } from './capabilities.ts';

/** What a bundle's text depends on besides the container and its image; read once, when the daemon starts. */
export interface HostFacts {
  /** Files that a container in the host's network needs of the host to resolve names. */
  readonly nameFiles: readonly string[];
  /** Folders of sysfs that tell one container what the CPU does for the others (a side channel). */
  readonly thermalThrottle: readonly string[];
  /** The daemon's bounding set: no process can be given more (capabilities(7)). */
  readonly capabilities: readonly string[];
  /** As uname(2) says it. */
  readonly kernelRelease: string;
  /** Whether the kernel runs AppArmor. */
  readonly appArmor: boolean;
}

const CPUS = '/sys/devices/system/cpu';

export async function readHostFacts(): Promise<HostFacts> {
  const cpus = (await readdir(CPUS)).filter((name) => /^cpu[0-9]+$/.test(name));
  const [nameFiles, thermalThrottle, status, appArmor] = await Promise.all([
    existing(['/etc/hosts', '/etc/resolv.conf']),
    existing(cpus.map((cpu) => `${CPUS}/${cpu}/thermal_throttle`)),
    readFile('/proc/self/status', 'utf8'),
    runsAppArmor(),
  ]);
  return { nameFiles, thermalThrottle, capabilities: capabilitiesIn(/^CapBnd:\s*([0-9a-f]+)$/m.exec(status)?.[1] ?? '0'), kernelRelease: release(), appArmor };
}

async function runsAppArmor(): Promise<boolean> {
  try {
    return (await readFile('/sys/module/apparmor/parameters/enabled', 'utf8')).startsWith('Y');
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return false;
    throw error;
  }
}

async function existing(paths: readonly string[]): Promise<string[]> {
  const there = await Promise.all(paths.map(exists));
  return paths.filter((_, index) => there[index]);
}
