import { nearest, quoted } from '../lib/text.ts';
import { invalid } from './invalid.ts';

/** capabilities(7), in the order of their numbers. */
export const CAPABILITIES = [
  'CHOWN', 'DAC_OVERRIDE', 'DAC_READ_SEARCH', 'FOWNER', 'FSETID', 'KILL', 'SETGID', 'SETUID', 'SETPCAP', 'LINUX_IMMUTABLE',
  'NET_BIND_SERVICE', 'NET_BROADCAST', 'NET_ADMIN', 'NET_RAW', 'IPC_LOCK', 'IPC_OWNER', 'SYS_MODULE', 'SYS_RAWIO', 'SYS_CHROOT',
  'SYS_PTRACE', 'SYS_PACCT', 'SYS_ADMIN', 'SYS_BOOT', 'SYS_NICE', 'SYS_RESOURCE', 'SYS_TIME', 'SYS_TTY_CONFIG', 'MKNOD', 'LEASE',
  'AUDIT_WRITE', 'AUDIT_CONTROL', 'SETFCAP', 'MAC_OVERRIDE', 'MAC_ADMIN', 'SYSLOG', 'WAKE_ALARM', 'BLOCK_SUSPEND', 'AUDIT_READ',
  'PERFMON', 'BPF', 'CHECKPOINT_RESTORE',
] as const;

const KNOWN: ReadonlySet<string> = new Set(CAPABILITIES);

export const CAPABILITY_PATTERN = /^[A-Za-z_]+$/;
export const CAPABILITY_MAX_LENGTH = 32;
/** Says all that `canonicalCapability` accepts, once the text is in upper case. */
export const CAPABILITY_UPPER_PATTERN = `^(ALL|(CAP_)?(${CAPABILITIES.join('|')}))$`;

/** `CAP_NET_ADMIN` for `NET_ADMIN`, `cap_net_admin`, …; `ALL` for `all`. Throws `Invalid`. */
export function canonicalCapability(text: string): string {
  const upper = text.toUpperCase();
  if (upper === 'ALL') return upper;
  const name = upper.startsWith('CAP_') ? upper.slice(4) : upper;
  if (KNOWN.has(name)) return `CAP_${name}`;
  const near = nearest(name, CAPABILITIES);
  throw invalid(`${quoted(text)} is not a capability`, near === undefined ? 'see capabilities(7) for their names; ALL means all of them' : `did you mean ${near}?`);
}
