import { quoted } from '../lib/text.ts';
import type { Finding } from './check.ts';

/** Every item whose key an earlier item has. */
export function repeated<T>(items: readonly T[], keyOf: (item: T) => string | undefined, field: string): Finding[] {
  const seen = new Set<string>();
  return items.flatMap((item, index) => {
    const key = keyOf(item);
    if (key === undefined || !seen.has(key)) {
      if (key !== undefined) seen.add(key);
      return [];
    }
    return [{ path: [index, field], message: `${quoted(key)} is given twice`, fix: 'keep one of them' }];
  });
}
