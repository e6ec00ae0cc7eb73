import { z } from 'zod';
import { quoted } from '../lib/text.ts';
import { checkedBy } from './check.ts';
import { DURATION_MAX_LENGTH, DURATION_PATTERN, parseDuration } from './duration.ts';
import { invalid } from './invalid.ts';

/** A day: far above any use, and below the 24 days where timers overflow. */
const MOST = '24h';

/** A field that holds a duration from `least` up to a day. */
export function durationField(least: string, description: string) {
  return z
    .string()
    .max(DURATION_MAX_LENGTH)
    .check(
      checkedBy((text: string) => {
        const nanos = parseDuration(text);
        if (nanos < parseDuration(least)) throw invalid(`${quoted(text)} is too short`, `give at least ${least}`);
        if (nanos > parseDuration(MOST)) throw invalid(`${quoted(text)} is too long`, `give at most ${MOST}`);
        return text;
      }),
    )
    .meta({
      pattern: DURATION_PATTERN.source,
      description,
      'x-kubernetes-validations': [
        { rule: `duration(self) >= duration('${least}') && duration(self) <= duration('${MOST}')`, message: `must be from ${least} to ${MOST}` },
      ],
    });
}
