import { CAPABILITIES, canonicalCapability } from '../../spec/capability.ts';

const ALL: readonly string[] = CAPABILITIES.map((name) => `CAP_${name}`);

/** What Docker grants by default. */
const DEFAULT = `AUDIT_WRITE CHOWN DAC_OVERRIDE FOWNER FSETID KILL MKNOD NET_BIND_SERVICE NET_RAW SETFCAP SETGID SETPCAP SETUID SYS_CHROOT`
  .split(' ')
  .map((name) => `CAP_${name}`);

/**
 * The capabilities of a container, in the order of their numbers. `ALL` stands for every one. What is dropped by name is gone even
 * if `ALL` was added, and what is added by name is there even if `ALL` was dropped (as in Docker). Throws `Invalid` for unknown names.
 */
export function grantedCapabilities(wanted: { readonly privileged: boolean; readonly add: readonly string[]; readonly drop: readonly string[] }): readonly string[] {
  const add = wanted.add.map(canonicalCapability);
  const drop = wanted.drop.map(canonicalCapability);
  if (wanted.privileged) return ALL;
  const base = add.includes('ALL') ? ALL : drop.includes('ALL') ? [] : DEFAULT;
  const granted = new Set([...base, ...add]);
  for (const name of drop) granted.delete(name);
  return ALL.filter((name) => granted.has(name));
}
