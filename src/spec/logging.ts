import { z } from 'zod';
import { quoted } from '../lib/text.ts';
import { checkedBy } from './check.ts';
import { DURATION_MAX_LENGTH, DURATION_PATTERN, parseDuration } from './duration.ts';
import { invalid } from './invalid.ts';
import { logSizeSchema, parseLogSize } from './resources.ts';

/** Ten years, and no less than what a log is looked at for. */
const [LEAST_AGE, MOST_AGE] = ['1s', '87600h'];

function maxAge(text: string): string {
  const nanos = parseDuration(text);
  if (nanos < parseDuration(LEAST_AGE)) throw invalid(`${quoted(text)} is too short`, `give at least ${LEAST_AGE}`);
  if (nanos > parseDuration(MOST_AGE)) throw invalid(`${quoted(text)} is too long`, `give at most ${MOST_AGE}`);
  return text;
}

export const loggingSchema = z
  .strictObject({
    mode: z
      .enum(['Block', 'Drop'])
      .meta({ description: '`Block`: what the container writes waits until the log has taken it, so that nothing is lost. `Drop`: the container never waits; what comes while the log is behind is dropped, counted, and told of in the log.' })
      .default('Block'),
    maxSize: logSizeSchema.default('10Mi'),
    maxFiles: z.int().min(1).max(1000).meta({ description: 'How many log files are kept, the current one included.' }).default(3),
    maxAge: z
      .string()
      .max(DURATION_MAX_LENGTH)
      .check(checkedBy(maxAge))
      .meta({
        pattern: DURATION_PATTERN.source,
        description: 'A new log file is begun when the first line of the current one is this old: a duration such as `24h`, from `1s` to `87600h`. Without it, only size counts.',
        'x-kubernetes-validations': [{ rule: `duration(self) >= duration('${LEAST_AGE}') && duration(self) <= duration('${MOST_AGE}')`, message: `must be from ${LEAST_AGE} to ${MOST_AGE}` }],
      })
      .optional(),
  })
  .meta({ description: "How what the container writes is logged." });

/** A container's log as its monitor is told of it. */
export interface ResolvedLogging {
  readonly mode: 'block' | 'drop';
  readonly maxBytes: number;
  readonly maxFiles: number;
  readonly maxAgeSeconds?: number;
}

export function resolveLogging({ mode, maxSize, maxFiles, maxAge: age }: z.output<typeof loggingSchema>): ResolvedLogging {
  return {
    mode: mode === 'Drop' ? 'drop' : 'block',
    maxBytes: parseLogSize(maxSize),
    maxFiles,
    ...(age !== undefined && { maxAgeSeconds: Math.ceil(Number(parseDuration(age)) / 1e9) }),
  };
}
