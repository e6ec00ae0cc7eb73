import { z } from 'zod';
import { type Finding, foundBy } from './check.ts';
import { repeated } from './repeated.ts';

/** setrlimit(2), in lower case and without RLIMIT_. */
const NAMES = ['as', 'core', 'cpu', 'data', 'fsize', 'locks', 'memlock', 'msgqueue', 'nice', 'nofile', 'nproc', 'rss', 'rtprio', 'rttime', 'sigpending', 'stack'] as const;

export const UNLIMITED = -1;
const limit = () => z.int().min(UNLIMITED).max(Number.MAX_SAFE_INTEGER);

export const ulimitsSchema = z
  .array(
    z.strictObject({
      name: z.enum(NAMES).meta({ description: 'What is limited, as setrlimit(2) has it, in lower case: `nofile`, `nproc`, `memlock`.' }),
      soft: limit().meta({ description: 'The limit in force, which a process may raise up to `hard`; -1 is without limit. In the units of setrlimit(2): bytes, files, seconds.' }),
      hard: limit().meta({ description: 'The most that a process may raise it to. Without it, as `soft`. Above the own one of the daemon it wants CAP_SYS_RESOURCE there.' }).optional(),
    }),
  )
  .max(NAMES.length)
  .check(foundBy((limits) => [...repeated(limits, ({ name }) => name, 'name'), ...limits.flatMap(softAboveHard)]))
  .meta({
    description: "Limits of each process, over the daemon's own; see ulimit of a shell.",
    'x-kubernetes-list-type': 'map',
    'x-kubernetes-list-map-keys': ['name'],
    'x-kubernetes-validations': [{ rule: 'self.all(one, !has(one.hard) || one.hard == -1 || (one.soft != -1 && one.soft <= one.hard))', message: 'soft must not be above hard' }],
  });

function softAboveHard({ soft, hard = soft }: { readonly soft: number; readonly hard?: number | undefined }, index: number): Finding[] {
  if (hard === UNLIMITED || (soft !== UNLIMITED && soft <= hard)) return [];
  return [{ path: [index, 'soft'], message: `is ${soft === UNLIMITED ? 'without limit' : soft}, above the hard limit of ${hard}`, fix: 'lower it, or raise hard' }];
}
