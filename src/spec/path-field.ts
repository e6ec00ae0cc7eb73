import { z } from 'zod';
import { checkedBy } from './check.ts';
import { PATH_MAX_LENGTH, PATH_PATTERN, parsePath } from './path.ts';

/** An absolute clean path. */
export function pathField(): z.ZodString {
  return z.string().max(PATH_MAX_LENGTH).check(checkedBy(parsePath)).meta({ pattern: PATH_PATTERN.source });
}
