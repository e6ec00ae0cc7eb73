import { z } from 'zod';
import { PATH_MAX_LENGTH, PATH_PATTERN, parsePath } from './path.ts';
import { invalid } from './invalid.ts';
import { tmpfsSizeSchema } from './resources.ts';
import { checkedBy } from './check.ts';

/** An absolute clean path. */
export function pathField(): z.ZodString {
  return z.string().max(PATH_MAX_LENGTH).check(checkedBy(parsePath)).meta({ pattern: PATH_PATTERN.source });
}

const mountPathSchema = pathField()
  .check(
    checkedBy((path) => {
      if (path === '/') throw invalid('"/" is the root file system itself', 'mount below it');
      if (path === '/proc' || path.startsWith('/proc/')) throw invalid('/proc is mounted by the runtime', 'mount elsewhere');
      return path;
    }),
  )
  .meta({
    description: 'Where it appears in the container: an absolute path without `..`, not `/` and not in `/proc`. Made if it is missing. Parents are mounted before what lies below them, whatever the order of the list.',
    'x-kubernetes-validations': [{ rule: "self != '/' && self != '/proc' && !self.startsWith('/proc/')", message: 'must be neither / nor in /proc' }],
  });

export const mountSchema = z
  .strictObject({
    mountPath: mountPathSchema,
    readOnly: z.boolean().meta({ description: 'Refuse writes from the container.' }).default(false),
    bind: z
      .strictObject({
        source: pathField().meta({ description: 'A file or folder of the node that exists: an absolute path without `..`.' }),
      })
      .meta({ description: 'Shows a file or folder of the node. Give this or `tmpfs`.' })
      .optional(),
    tmpfs: z
      .strictObject({ size: tmpfsSizeSchema.optional() })
      .meta({ description: 'An empty file system in memory, gone with the container. Give this, `tmpfs: {}` at least, or `bind`.' })
      .optional(),
  })
  .check(
    checkedBy((mount) => {
      if (mount.bind !== undefined && mount.tmpfs !== undefined) throw invalid('has both bind and tmpfs', 'keep one of them');
      if (mount.bind === undefined && mount.tmpfs === undefined) throw invalid('has neither bind nor tmpfs', 'add `bind: {source: /path/on/the/node}` or `tmpfs: {}`');
      return mount;
    }),
  )
  .meta({ 'x-kubernetes-validations': [{ rule: 'has(self.bind) != has(self.tmpfs)', message: 'exactly one of bind and tmpfs is needed' }] });
