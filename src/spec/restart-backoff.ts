import { z } from 'zod';
import { DURATION_MAX_LENGTH, DURATION_PATTERN, parseDuration } from './duration.ts';
import { durationField } from './duration-field.ts';
import { invalid } from './invalid.ts';
import { checkedBy } from './check.ts';

export const restartBackoffSchema = z
  .strictObject({
    initial: durationField('1ms', 'The wait before the first restart in a row; it doubles with each further one. A duration such as `10s` or `1m30s`, from `1ms` to `24h`.').default('10s'),
    max: durationField('1ms', 'The longest wait. A duration from `1ms` to `24h`, not below `initial`.').default('5m'),
    resetAfter: durationField('0s', 'A run at least this long starts the count anew. A duration up to `24h`.').default('10m'),
    maxRetries: z.int().min(1).max(1_000_000).meta({ description: 'The most restarts in a row; after them it has failed for good. Without it, no end to them.' }).optional(),
  })
  .check(
    checkedBy((backoff) => {
      if (!comparable(backoff.initial) || !comparable(backoff.max)) return backoff;
      if (parseDuration(backoff.initial) > parseDuration(backoff.max)) {
        throw invalid(`initial (${backoff.initial}) is longer than max (${backoff.max})`, 'raise max or lower initial');
      }
      return backoff;
    }),
  )
  .meta({
    description: 'How long to wait between restarts of a container that keeps ending, and how many there may be.',
    'x-kubernetes-validations': [{ rule: '!has(self.initial) || !has(self.max) || duration(self.initial) <= duration(self.max)', message: 'initial must not be longer than max' }],
  });

/** False for a text that its own field's check has already refused. */
function comparable(text: string): boolean {
  return text.length <= DURATION_MAX_LENGTH && DURATION_PATTERN.test(text);
}
