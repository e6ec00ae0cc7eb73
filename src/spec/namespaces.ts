import { z } from 'zod';
import { grammarString } from './grammar.ts';
import { DNS_SUBDOMAIN } from './kubernetes-names.ts';

const CONTAINER = 'Container:';
const NAME = DNS_SUBDOMAIN.pattern.source.slice(1, -1);

const place = (words: readonly string[], what: string, description: string) =>
  grammarString({ pattern: new RegExp(`^(${words.join('|')}|${CONTAINER}${NAME})$`), maxLength: CONTAINER.length + DNS_SUBDOMAIN.maxLength, what })
    .meta({ description })
    .default('Private');

export const namespacesSchema = z
  .strictObject({
    pid: place(
      ['Private', 'Host'],
      'Private, Host or Container:NAME',
      "Whose processes it sees: `Private`: its own. `Host`: all of the node's. `Container:NAME`: those of another container of its namespace, whose end is its own end, too.",
    ),
    ipc: place(
      ['Private', 'None', 'Shareable', 'Host'],
      'Private, None, Shareable, Host or Container:NAME',
      "With whom it shares System V IPC, POSIX message queues and `/dev/shm`: `Private`: with nobody. `None`: with nobody, and without `/dev/shm`. `Shareable`: with the containers that say so; its `/dev/shm` is then part of the node's, and has no `shmSize` of its own. `Host`: with the node. `Container:NAME`: with another container of its namespace, which must be `Shareable`.",
    ),
    uts: z.enum(['Private', 'Host']).meta({ description: 'Whose host name it has: its own, or the `Host`\'s, and then it has no `hostname`.' }).default('Private'),
    cgroup: z.enum(['Private', 'Host']).meta({ description: 'How it sees cgroups: its own as the root, or as they are on the `Host`.' }).default('Private'),
  })
  .meta({ description: 'What it has for itself, and what it shares with the node or other containers. For the network see `network`; users are always those of the node.' });

/** The container that such a field names; undefined where it names none. */
export function joinedContainer(text: string): string | undefined {
  return text.startsWith(CONTAINER) ? text.slice(CONTAINER.length) : undefined;
}
