import type { ConfigDigests } from '../engine/config.ts';
import type { Situation } from './situation.ts';

/**
 * What of ConfigMaps and Secrets is not what a container was made with, by their keys and without values; undefined where nothing is. What is missing
 * now is no change: what runs goes on with what it has.
 */
export function configChange({ observed, config }: Pick<Situation, 'observed' | 'config'>): string | undefined {
  if (observed === undefined || config === undefined) return undefined;
  const changes = differences(observed.config ?? {}, config);
  return changes.length === 0 ? undefined : changes.join('; ');
}

function differences(before: ConfigDigests, after: ConfigDigests): string[] {
  const sources = [...new Set([...Object.keys(before), ...Object.keys(after)])];
  return sources.flatMap((source) => {
    const [was, is] = [before[source], after[source]];
    if (was === undefined) return [`${source} is there now`];
    if (is === undefined) return [`${source} is not there any more`];
    const keys = [...new Set([...Object.keys(was), ...Object.keys(is)])].filter((key) => was[key] !== is[key]);
    if (keys.length === 0) return [];
    return [`${source} changed: ${keys.map((key) => (was[key] === undefined ? `${key} is new` : is[key] === undefined ? `${key} is gone` : key)).join(', ')}`];
  });
}
