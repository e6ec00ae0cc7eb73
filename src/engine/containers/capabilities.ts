import { MooringError } from '../../lib/errors.ts';
import { CAPABILITIES, canonicalCapability } from '../../spec/capability.ts';

const ALL: readonly string[] = CAPABILITIES.map((name) => `CAP_${name}`);

/** What Docker grants by default. */
const DEFAULT = `AUDIT_WRITE CHOWN DAC_OVERRIDE FOWNER FSETID KILL MKNOD NET_BIND_SERVICE NET_RAW SETFCAP SETGID SETPCAP SETUID SYS_CHROOT`
  .split(' ')
  .map((name) => `CAP_${name}`);

export interface WantedCapabilities {
  readonly privileged: boolean;
  readonly add: readonly string[];
  readonly drop: readonly string[];
  /** What this host can give at all. */
  readonly available: readonly string[];
}

/**
 * The capabilities of a container, in the order of their numbers. `ALL` and the default stand for what of them the host can give. What is dropped
 * by name is gone even if `ALL` was added, and what is added by name is there even if `ALL` was dropped (as in Docker). Throws `Invalid`
 * for unknown names, `Unsupported` for one that was asked for by name and is not to be had here.
 */
export function grantedCapabilities({ privileged, add, drop, available }: WantedCapabilities): readonly string[] {
  const added = add.map(canonicalCapability);
  const dropped = drop.map(canonicalCapability);
  if (privileged) return available;
  const missing = added.find((name) => name !== 'ALL' && !available.includes(name));
  if (missing !== undefined)
    throw new MooringError('Unsupported', `capability ${missing} can't be granted: it is not in this host's bounding set`, { fix: 'leave it out of spec.capabilities.add, or give it to the daemon' });
  const base = added.includes('ALL') ? available : dropped.includes('ALL') ? [] : DEFAULT;
  const granted = new Set([...base, ...added]);
  for (const name of dropped) granted.delete(name);
  return available.filter((name) => granted.has(name));
}

/** The names in a mask as `/proc/<pid>/status` prints it (proc_pid_status(5), CapBnd). Bits that have no name here are left out. */
export function capabilitiesIn(mask: string): readonly string[] {
  const bits = BigInt(`0x${mask}`);
  return ALL.filter((_, number) => (bits >> BigInt(number)) & 1n);
}
