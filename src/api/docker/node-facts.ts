import { createHash } from 'node:crypto';
import { readFile, statfs } from 'node:fs/promises';
import { errnoOf } from '../../lib/errors.ts';
import { exists } from '../../lib/exists.ts';

/** What the node's kernel and files tell clients who ask what they talk to. */
export interface NodeFacts {
  readonly operatingSystem: string;
  readonly osVersion: string;
  readonly cgroupVersion: '1' | '2';
  /** Whether a controller of that name is there. */
  readonly controllers: ReadonlySet<string>;
  readonly swapLimit: boolean;
  readonly memoryReservation: boolean;
  readonly kernelMemory: boolean;
  readonly oomKillDisable: boolean;
  readonly cpuCfs: boolean;
  readonly apparmor: boolean;
  readonly backingFileSystem: string;
  readonly forwardsIPv4: boolean;
  readonly machine: string;
}

const V1 = '/sys/fs/cgroup';
const CONTROLLERS = ['memory', 'cpu', 'cpuset', 'pids', 'blkio', 'io'] as const;
/** By `f_type` of statfs(2). */
const FILE_SYSTEMS: Readonly<Record<number, string>> = { 0xef53: 'extfs', 0x58465342: 'xfs', 0x9123683e: 'btrfs', 0x01021994: 'tmpfs', 0x794c7630: 'overlayfs', 0x2fc12fc1: 'zfs', 0xf2f52010: 'f2fs' };

/** Reads them anew. `dataDir` is where containers' files are. */
export async function nodeFacts(dataDir: string): Promise<NodeFacts> {
  const unified = await textOf(`${V1}/cgroup.controllers`);
  const has = async (name: string): Promise<boolean> => (unified === '' ? exists(`${V1}/${name}`) : unified.split(/\s+/).includes(name));
  const found = await Promise.all(CONTROLLERS.map(async (name) => ((await has(name)) ? [name] : [])));
  const [release, forward, machine, { type }] = await Promise.all([textOf('/etc/os-release'), textOf('/proc/sys/net/ipv4/ip_forward'), textOf('/etc/machine-id'), statfs(dataDir)]);
  const v1 = unified === '';
  const memoryFile = (name: string): Promise<boolean> => exists(`${V1}/memory/${name}`);
  return {
    operatingSystem: /^PRETTY_NAME="?([^"\n]*)"?$/m.exec(release)?.[1] ?? 'Linux',
    osVersion: /^VERSION_ID="?([^"\n]*)"?$/m.exec(release)?.[1] ?? '',
    cgroupVersion: v1 ? '1' : '2',
    controllers: new Set(found.flat()),
    swapLimit: v1 ? await memoryFile('memory.memsw.limit_in_bytes') : unified.includes('memory'),
    memoryReservation: v1 ? await memoryFile('memory.soft_limit_in_bytes') : unified.includes('memory'),
    kernelMemory: false,
    oomKillDisable: v1 && (await memoryFile('memory.oom_control')),
    cpuCfs: v1 ? await exists(`${V1}/cpu/cpu.cfs_quota_us`) : unified.includes('cpu'),
    apparmor: (await textOf('/sys/module/apparmor/parameters/enabled')).startsWith('Y'),
    backingFileSystem: FILE_SYSTEMS[type] ?? `0x${type.toString(16)}`,
    forwardsIPv4: forward.trim() === '1',
    machine: machine.trim(),
  };
}

/** An identity in the form of the engine's: twelve times four letters. The same for as long as the node and the instance are. */
export function engineId({ machine }: NodeFacts, instance: string): string {
  const letters = createHash('sha256').update(`${machine}/${instance}`).digest();
  const words = Array.from({ length: 12 }, (_, word) => Array.from({ length: 4 }, (__, index) => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.charAt((letters[(word * 4 + index) % letters.length] ?? 0) % 32)).join(''));
  return words.join(':');
}

async function textOf(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if (errnoOf(error) !== undefined) return ''; // not of this kernel
    throw error;
  }
}
