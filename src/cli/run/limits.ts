import { badFlag } from './bad-flag.ts';
import { bytesOf, wholeNumber } from './numbers.ts';

export interface UlimitRequest {
  readonly Name: string;
  readonly Soft: number;
  readonly Hard: number;
}

const ULIMITS = ['core', 'cpu', 'data', 'fsize', 'locks', 'memlock', 'msgqueue', 'nice', 'nofile', 'nproc', 'rss', 'rtprio', 'rttime', 'sigpending', 'stack'];

/** --ulimit `nofile=1024`, `nofile=1024:4096`, `memlock=-1`. */
export function ulimitOf(text: string): UlimitRequest {
  const [, Name = '', soft = '', hard = soft] = /^([^=]*)=([^:]*)(?::(.*))?$/.exec(text) ?? [];
  if (!ULIMITS.includes(Name)) throw badFlag('--ulimit', text, `there is no limit "${Name}"`, `write NAME=SOFT[:HARD], NAME one of ${ULIMITS.join(', ')}`);
  const [Soft, Hard] = [wholeNumber('--ulimit', soft, -1), wholeNumber('--ulimit', hard, -1)];
  if (Hard !== -1 && (Soft > Hard || Soft === -1)) throw badFlag('--ulimit', text, 'the soft limit is above the hard one');
  return { Name, Soft, Hard };
}

/** --device-read-bps `/dev/sda:1mb`. */
export function byteRateOf(flag: string, text: string): { Path: string; Rate: number } {
  const { path, value } = deviceValue(flag, text, '/dev/sda:1mb');
  return { Path: path, Rate: bytesOf(flag, value) };
}

/** --device-read-iops `/dev/sda:1000`. */
export function operationRateOf(flag: string, text: string): { Path: string; Rate: number } {
  const { path, value } = deviceValue(flag, text, '/dev/sda:1000');
  return { Path: path, Rate: wholeNumber(flag, value) };
}

/** --blkio-weight-device `/dev/sda:500`. */
export function deviceWeightOf(flag: string, text: string): { Path: string; Weight: number } {
  const { path, value } = deviceValue(flag, text, '/dev/sda:500');
  return { Path: path, Weight: value === '0' ? 0 : wholeNumber(flag, value, 10, 1000) };
}

function deviceValue(flag: string, text: string, example: string): { path: string; value: string } {
  const colon = text.lastIndexOf(':');
  const [path, value] = [text.slice(0, Math.max(0, colon)), text.slice(colon + 1)];
  if (!path.startsWith('/dev/') || value === '') throw badFlag(flag, text, 'is no device with a number', `write it like ${example}`);
  return { path, value };
}

/** --device `/dev/fuse`, `/dev/sda:/dev/xvdc:rw`. */
export function deviceOf(text: string): { PathOnHost: string; PathInContainer: string; CgroupPermissions: string } {
  const wrong = badFlag('--device', text, 'is no device', 'write HOST PATH[:CONTAINER PATH][:rwm]');
  const [PathOnHost = '', second, third, ...more] = text.split(':');
  const isMode = (word: string): boolean => /^[rwm]{1,3}$/.test(word) && new Set(word).size === word.length;
  if (!PathOnHost.startsWith('/') || more.length > 0 || (third !== undefined && !isMode(third))) throw wrong;
  if (second === undefined) return { PathOnHost, PathInContainer: PathOnHost, CgroupPermissions: 'rwm' };
  if (third === undefined && isMode(second)) return { PathOnHost, PathInContainer: PathOnHost, CgroupPermissions: second };
  if (!second.startsWith('/')) throw wrong;
  return { PathOnHost, PathInContainer: second, CgroupPermissions: third ?? 'rwm' };
}

/** --device-cgroup-rule `c 42:* rmw`. */
export function deviceRuleOf(text: string): string {
  if (!/^[acb] (\d+|\*):(\d+|\*) [rwm]{1,3}$/.test(text)) throw badFlag('--device-cgroup-rule', text, 'is no rule', "write it like 'c 42:* rmw'");
  return text;
}
