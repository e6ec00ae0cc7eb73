import { z } from 'zod';
import { foundBy } from './check.ts';
import { grammarString } from './grammar.ts';
import { DNS_SUBDOMAIN } from './kubernetes-names.ts';
import { repeated } from './repeated.ts';

const dependencySchema = z.strictObject({
  container: grammarString(DNS_SUBDOMAIN).meta({ description: 'A container of the same namespace. Each once.' }),
  condition: z
    .enum(['Started', 'Ready', 'Completed'])
    .meta({
      description:
        "How far that one must be before this one starts. `Started`: its program runs, or has ended well. `Ready`: its condition `Ready` holds. `Completed`: it has ended with exit status 0, and does not run again. Without it, `Ready` where it has a readiness probe, a startup probe or a health check, its image's included; else `Started`.",
    })
    .optional(),
  required: z.boolean().meta({ description: 'With `false`, a container that nobody declares, that is suspended or that has failed for good is not waited for.' }).default(true),
  restart: z.boolean().meta({ description: 'Restart this one, too, when that one was restarted or replaced, as soon as that is as far as `condition` says.' }).default(false),
});

export const dependsOnSchema = z
  .array(dependencySchema)
  .max(64)
  .check(foundBy((dependencies) => repeated(dependencies, ({ container }) => container, 'container')))
  .meta({
    description: 'Containers that this one is started after, whenever it is started, and stopped before, where they go at the same time. What goes in a circle is refused.',
    'x-kubernetes-list-type': 'map',
    'x-kubernetes-list-map-keys': ['container'],
  });

export type Dependency = z.output<typeof dependencySchema>;
