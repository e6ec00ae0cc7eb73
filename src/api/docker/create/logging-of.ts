import type { HostConfig } from './create-body.ts';
import { bad, unsupported } from './refusal.ts';
import type { SpecInput } from './spec-input.ts';

const MI = 1024 ** 2;
/** How far a container may be ahead of its log in mode `Drop`; the monitor's own. */
const BUFFER = 2 * MI;
/** Docker's drivers that keep the log on the node for `docker logs`, as Mooring does. */
const DRIVERS = new Set(['', 'json-file', 'local', 'default']);
/** How the log is kept on disk, or what is told of the container beside each line: nothing that a reader of the lines notices. */
const WITHOUT_EFFECT = new Set(['compress', 'labels', 'labels-regex', 'env', 'env-regex', 'tag']);

export function loggingOf(config: HostConfig['LogConfig']): NonNullable<SpecInput['logging']> {
  const driver = config?.Type ?? '';
  if (driver === 'none') throw unsupported('log driver "none"', 'leave it out; --log-opt max-size=1m --log-opt max-file=1 keeps least');
  if (!DRIVERS.has(driver)) throw bad(`logger: no log driver named '${driver}' is registered`);
  const logging: { mode?: 'Drop'; maxSize?: number; maxFiles?: number } = {};
  for (const [option, value] of Object.entries(config?.Config ?? {})) {
    if (option === 'max-size') logging.maxSize = bytes(option, value);
    else if (option === 'max-file') logging.maxFiles = count(option, value);
    else if (option === 'mode') Object.assign(logging, mode(value));
    else if (option === 'max-buffer-size') refuseLargeBuffer(bytes(option, value));
    else if (!WITHOUT_EFFECT.has(option)) throw bad(`unknown log opt '${option}' for ${driver || 'json-file'} log driver`);
  }
  return logging;
}

function mode(value: string): { mode?: 'Drop' } {
  if (value !== '' && value !== 'blocking' && value !== 'non-blocking') throw bad(`logger: logging mode not supported: ${value}`);
  return value === 'non-blocking' ? { mode: 'Drop' } : {};
}

function count(option: string, value: string): number {
  if (!/^[1-9][0-9]{0,3}$/.test(value)) throw bad(`invalid value for log opt '${option}': ${value}`);
  return Number(value);
}

/** docker/go-units' RAMInBytes: `10m`, `1.5GiB`, in powers of 1024. */
function bytes(option: string, value: string): number {
  const match = /^([0-9]+(?:\.[0-9]+)?) ?([kmgtp]?)i?b?$/i.exec(value);
  if (match === null) throw bad(`invalid value for log opt '${option}': ${value}`);
  return Math.floor(Number(match[1]) * 1024 ** ['', 'k', 'm', 'g', 't', 'p'].indexOf(match[2]?.toLowerCase() ?? ''));
}

function refuseLargeBuffer(size: number): void {
  if (size > BUFFER) throw unsupported(`a max-buffer-size of ${size} bytes`, `give at most ${BUFFER / MI}m, or leave it out`);
}
