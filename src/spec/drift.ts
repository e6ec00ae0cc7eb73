import { z } from 'zod';
import { checkedBy } from './check.ts';
import { PATH_MAX_LENGTH } from './path.ts';
import { parsePathGlob, PATH_GLOB_PATTERN } from './path-glob.ts';

const POLICIES = ['Correct', 'Report', 'Ignore'] as const;

const policyFor = (what: string) => z.enum(POLICIES).meta({ description: `${what} Without it, \`policy\`.` }).optional();

const filesSchema = z
  .strictObject({
    policy: z
      .enum(POLICIES)
      .meta({
        description:
          '`Correct`: stop the container, throw ALL of its file changes away, those at `allowedPaths` and its data outside of mounts among them, and start it from its image again. `Report`: tell of the paths in the condition `Drifted`, an event and `mooring drift`. `Ignore`: do not look.',
      })
      .default('Report'),
    allowedPaths: z
      .array(
        z
          .string()
          .max(PATH_MAX_LENGTH)
          .check(checkedBy(parsePathGlob))
          .meta({ pattern: PATH_GLOB_PATTERN.source }),
      )
      .max(256)
      .meta({
        description: 'Paths in the container that it may change: a file, a folder with all that is in it, or a pattern: `*` and `?` match within one name, `**` any number of names. Folders that are made on the way there are allowed with it. What lies in mounts is never looked at.',
        'x-kubernetes-list-type': 'atomic',
      })
      .default([]),
  })
  .meta({ description: "What to do about files that differ from the image's: what was written, changed or deleted outside of mounts. Without it, files are not looked at." });

export const driftSchema = z
  .strictObject({
    policy: z
      .enum(POLICIES)
      .meta({ description: 'What to do where the running container differs from what is declared, for every kind that has no word of its own below. `Correct`: undo it by the cheapest step that does. `Report`: leave it, and tell of it once. `Ignore`: neither. A process that ended is the business of `restartPolicy`.' })
      .default('Correct'),
    frozen: policyFor('Its processes stand still, or run on, by another hand than `pause`; its first process was stopped by a signal.'),
    limits: policyFor('Limits in its control groups, and whether its first process is in them.'),
    mounts: policyFor('Mounts and the root file system, volumes whose folder was removed among them. Corrected by a restart.'),
    network: policyFor('Interfaces, addresses, routes, rules and published ports; a lost network namespace, by a restart.'),
    namespaces: policyFor('Processes or IPC that it shares with another container (`namespaces`), which was started anew and has others now. Corrected by a restart.'),
    bundle: policyFor('What Mooring wrote for its runtime: command, environment, labels and everything else that it is started from. Corrected by a restart; the next start writes it anew in any case.'),
    image: policyFor('The tag that `imageUpdatePolicy` follows stands for another image, or what is built here was built anew. Corrected by a replacement.'),
    exec: z.enum(['Report', 'Ignore']).meta({ description: 'Processes that somebody added by hand (`mooring exec`, `docker exec`). They are never ended. Without it, `Ignore` where `policy` says so, else `Report`.' }).optional(),
    files: filesSchema.optional(),
  })
  .meta({ description: 'What to do about drift: what is there differs from what is declared, though nobody changed what is declared.' });

export type DriftPolicy = (typeof POLICIES)[number];
export type DriftRules = z.output<typeof driftSchema>;
