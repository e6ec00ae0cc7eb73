import { badFlag } from './bad-flag.ts';
import { readFlagFile } from './key-value-files.ts';
import type { Surroundings } from './surroundings.ts';

export interface Security {
  readonly options: readonly string[];
  /** systempaths=unconfined: nothing of /proc and /sys is hidden or read-only. */
  readonly openPaths: boolean;
}

const ALONE = new Set(['no-new-privileges', 'disable']);

/** --security-opt. A seccomp profile is a file of this machine, which goes along as text. */
export function securityOf(texts: readonly string[], { readFile }: Surroundings): Security {
  const options = texts.map((text) => {
    const [, key = text, value] = /^([^=:]+)[=:](.*)$/.exec(text) ?? [];
    if (value === undefined && !ALONE.has(key)) throw badFlag('--security-opt', text, 'lacks its value', 'write it like seccomp=unconfined, apparmor=PROFILE, label=disable or no-new-privileges');
    if (key !== 'seccomp' || value === undefined || value === 'unconfined' || value === 'builtin') return text;
    return `seccomp=${profileOf(value, readFile)}`;
  });
  const isOpen = (text: string): boolean => text === 'systempaths=unconfined';
  return { options: options.filter((text) => !isOpen(text)), openPaths: options.some(isOpen) };
}

function profileOf(file: string, readFile: Surroundings['readFile']): string {
  const text = readFlagFile('--security-opt seccomp', file, readFile).toString('utf8');
  try {
    return JSON.stringify(JSON.parse(text));
  } catch {
    throw badFlag('--security-opt', `seccomp=${file}`, 'the profile is not JSON');
  }
}
