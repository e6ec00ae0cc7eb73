import path from 'node:path';
import { badFlag } from './bad-flag.ts';
import { keyValues } from './csv.ts';
import { booleanOf, bytesOf } from './numbers.ts';
import type { Surroundings } from './surroundings.ts';

/** What --mount asks for; as Docker's Mount. */
export interface MountRequest {
  Type: string;
  Source?: string;
  Target: string;
  ReadOnly?: boolean;
  Consistency?: string;
  BindOptions?: { Propagation?: string; NonRecursive?: boolean; CreateMountpoint?: boolean; ReadOnlyNonRecursive?: boolean; ReadOnlyForceRecursive?: boolean };
  VolumeOptions?: { NoCopy?: boolean; Subpath?: string; Labels?: Record<string, string>; DriverConfig?: { Name?: string; Options?: Record<string, string> } };
  TmpfsOptions?: { SizeBytes?: number; Mode?: number };
}

export interface Volumes {
  /** `SOURCE:TARGET[:OPTIONS]`; sources of this machine as absolute paths. */
  readonly binds: readonly string[];
  /** Paths of volumes without a name. */
  readonly anonymous: readonly string[];
}

/** --volume: with a colon a bind or a named volume, else a volume without a name. */
export function volumesOf(texts: readonly string[], { folder }: Surroundings): Volumes {
  for (const text of texts) if (text === '' || text.startsWith(':')) throw badFlag('--volume', text, 'has no source', 'write SOURCE:/TARGET[:ro], or /TARGET alone');
  const isBind = (text: string): boolean => text.includes(':');
  return { binds: texts.filter(isBind).map((text) => fromHere(text, folder)), anonymous: texts.filter((text) => !isBind(text)) };
}

function fromHere(text: string, folder: string): string {
  const colon = text.indexOf(':');
  return text.startsWith('.') ? `${path.resolve(folder, text.slice(0, colon))}${text.slice(colon)}` : text;
}

/** --tmpfs: `/run`, `/run:size=64m,mode=1777`. */
export function tmpfsOf(texts: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    texts.map((text) => {
      const colon = text.indexOf(':');
      return colon < 0 ? [text, ''] : [text.slice(0, colon), text.slice(colon + 1)];
    }),
  );
}

const FLAG = '--mount';
const PREFIXES: Readonly<Record<string, string>> = { bind: 'BindOptions', volume: 'VolumeOptions', tmpfs: 'TmpfsOptions' };

/** --mount: `type=bind,src=/srv,dst=/data,readonly`. */
export function mountOf(text: string, { folder }: Surroundings): MountRequest {
  const mount: MountRequest = { Type: 'volume', Target: '' };
  for (const [key, given] of keyValues(FLAG, text)) {
    const set = SETTERS[key];
    const isSwitch = SWITCHES.has(key);
    if (set === undefined) throw badFlag(FLAG, text, `there is no "${key}"`, 'write type=bind|volume|tmpfs,source=…,target=…[,readonly]');
    if (given === undefined && !isSwitch) throw badFlag(FLAG, text, `"${key}" wants a value`, `write ${key}=VALUE`);
    set(mount, given ?? 'true', `${FLAG} ${key}`);
  }
  if (mount.Target === '') throw badFlag(FLAG, text, 'lacks its target', 'add target=/PATH');
  for (const [type, options] of Object.entries(PREFIXES)) {
    if (options in mount && mount.Type !== type) throw badFlag(FLAG, text, `options of ${type} mounts do not go with type=${mount.Type}`);
  }
  if (mount.Type === 'bind' && mount.Source?.startsWith('.') === true) mount.Source = path.resolve(folder, mount.Source);
  return mount;
}

type Setter = (mount: MountRequest, value: string, flag: string) => void;

const source: Setter = (mount, value) => void (mount.Source = value);
const target: Setter = (mount, value) => void (mount.Target = value);
const readonly: Setter = (mount, value, flag) => void (mount.ReadOnly = booleanOf(flag, value));
const SWITCHES = new Set(['readonly', 'ro', 'volume-nocopy', 'bind-nonrecursive', 'bind-create-src']);

const SETTERS: Readonly<Record<string, Setter>> = {
  type: (mount, value) => void (mount.Type = value.toLowerCase()),
  source,
  src: source,
  target,
  dst: target,
  destination: target,
  readonly,
  ro: readonly,
  consistency: (mount, value) => void (mount.Consistency = value.toLowerCase()),
  'bind-propagation': (mount, value) => void ((mount.BindOptions ??= {}).Propagation = value.toLowerCase()),
  'bind-nonrecursive': (mount, value, flag) => void ((mount.BindOptions ??= {}).NonRecursive = booleanOf(flag, value)),
  'bind-create-src': (mount, value, flag) => void ((mount.BindOptions ??= {}).CreateMountpoint = booleanOf(flag, value)),
  'bind-recursive': (mount, value, flag) => {
    const options = (mount.BindOptions ??= {});
    if (value === 'disabled') options.NonRecursive = true;
    else if (value === 'writable') options.ReadOnlyNonRecursive = true;
    else if (value === 'readonly') options.ReadOnlyForceRecursive = true;
    else if (value !== 'enabled') throw badFlag(flag, value, 'is unknown', 'write enabled, disabled, writable or readonly');
  },
  'volume-nocopy': (mount, value, flag) => void ((mount.VolumeOptions ??= {}).NoCopy = booleanOf(flag, value)),
  'volume-subpath': (mount, value) => void ((mount.VolumeOptions ??= {}).Subpath = value),
  'volume-label': (mount, value) => void Object.assign(((mount.VolumeOptions ??= {}).Labels ??= {}), pair(value)),
  'volume-driver': (mount, value) => void (((mount.VolumeOptions ??= {}).DriverConfig ??= {}).Name = value),
  'volume-opt': (mount, value) => void Object.assign((((mount.VolumeOptions ??= {}).DriverConfig ??= {}).Options ??= {}), pair(value)),
  'tmpfs-size': (mount, value, flag) => void ((mount.TmpfsOptions ??= {}).SizeBytes = bytesOf(flag, value)),
  'tmpfs-mode': (mount, value, flag) => {
    if (!/^[0-7]{1,4}$/.test(value)) throw badFlag(flag, value, 'is no mode', 'write it in octal, such as 1777');
    (mount.TmpfsOptions ??= {}).Mode = Number.parseInt(value, 8);
  },
};

function pair(text: string): Record<string, string> {
  const equals = text.indexOf('=');
  return equals < 0 ? { [text]: '' } : { [text.slice(0, equals)]: text.slice(equals + 1) };
}
