import { z } from 'zod';
import { listed } from '../lib/text.ts';
import { checkedBy, foundBy } from './check.ts';
import { configMapMountSchema, projectedMountSchema, secretMountSchema } from './config-source.ts';
import { type Grammar, grammarString } from './grammar.ts';
import { invalid } from './invalid.ts';
import { DNS_SUBDOMAIN } from './kubernetes-names.ts';
import { PATH_COMPONENT, PATH_MAX_LENGTH } from './path.ts';
import { pathField } from './path-field.ts';
import { tmpfsSizeSchema } from './resources.ts';

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

/** A path below a folder: relative and clean. */
const SUB_PATH: Grammar = {
  pattern: new RegExp(`^${PATH_COMPONENT}(/${PATH_COMPONENT})*$`),
  maxLength: PATH_MAX_LENGTH,
  what: 'a path below the volume: relative, without "." and ".." in it, without a slash at its end',
};

const bindSchema = z.strictObject({
  source: pathField().meta({ description: 'A file or folder of the node: an absolute path without `..`. It must exist, unless `createSource` is set.' }),
  createSource: z.boolean().meta({ description: 'Make `source` a folder, owned by root, where there is nothing.' }).default(false),
  propagation: z
    .enum(['None', 'HostToContainer', 'Bidirectional'])
    .meta({
      description:
        'Whether mounts made below `source` later are seen on the other side. `None`: on neither (rprivate). `HostToContainer`: those of the node in the container (rslave). `Bidirectional`: both ways (rshared); the node must have `source` on a shared mount, and the container must be privileged.',
    })
    .default('None'),
  recursive: z.boolean().meta({ description: 'Show what is mounted below `source`, too.' }).default(true),
});

/** Of mount(8), and of tmpfs(5) those without a field of their own. */
const TMPFS_OPTION: Grammar = {
  pattern: /^(exec|noexec|suid|nosuid|dev|nodev|atime|noatime|relatime|strictatime|nodiratime|(uid|gid|nr_inodes|nr_blocks)=[0-9]{1,18}[kmg]?|huge=(never|always|within_size|advise)|mpol=[a-z0-9:=,-]+)$/,
  maxLength: 128,
  what: 'an option of a tmpfs such as noexec, uid=1000 or nr_inodes=10k',
};

const tmpfsSchema = z.strictObject({
  size: tmpfsSizeSchema.optional(),
  mode: grammarString({ pattern: /^[0-7]{3,4}$/, maxLength: 4, what: 'the mode of a folder: three or four octal digits' })
    .meta({ description: "The mode of its root, in octal and in quotes: `\"1777\"`." })
    .default('1777'),
  options: z
    .array(grammarString(TMPFS_OPTION))
    .max(32)
    .meta({ description: 'Further options of the mount, behind `nosuid` and `nodev`, which it has else: `noexec`, `uid=1000`, `nr_inodes=10k`; see tmpfs(5).', 'x-kubernetes-list-type': 'atomic' })
    .default([]),
});

const volumeMountSchema = z.strictObject({
  name: grammarString(DNS_SUBDOMAIN)
    .meta({ description: "A `Volume` of the container's namespace. Without it, a volume of the container's own: it outlives changes of the container, and goes when the container is wanted no more." })
    .optional(),
  subPath: grammarString(SUB_PATH).meta({ description: 'Show only this folder of the volume; made if it is missing. Links in the volume are never followed out of it.' }).optional(),
  noCopy: z.boolean().meta({ description: "Leave an empty volume empty. Without it, what the image has at `mountPath` is copied into a volume that is empty, with its owners, modes and attributes." }).default(false),
});

const KINDS = ['bind', 'tmpfs', 'volume', 'configMap', 'secret', 'projected'] as const;
/** Kinds whose files Mooring makes: nobody writes to them, and their owner is said. */
const MADE = ['configMap', 'secret', 'projected'] as const;

export const mountSchema = z
  .strictObject({
    mountPath: mountPathSchema,
    readOnly: z.boolean().meta({ description: 'Refuse writes from the container.' }).default(false),
    recursiveReadOnly: z.boolean().meta({ description: 'With `readOnly`: also refuse writes to what is mounted below the source.' }).default(true),
    idmap: z
      .enum(['None', 'Container'])
      .meta({
        description:
          "Whose the files are, by an id-mapped mount; nothing on disk changes. `None`: whose they are on disk. `Container`: what belongs to the owner of the source, belongs to the container's user in the container, and what that user makes there, to the owner of the source.",
      })
      .default('None'),
    bind: bindSchema.meta({ description: 'Shows a file or folder of the node. Give this, `tmpfs` or `volume`.' }).optional(),
    tmpfs: tmpfsSchema.meta({ description: 'An empty file system in memory, gone with the container. Give this, `tmpfs: {}` at least, `bind` or `volume`.' }).optional(),
    volume: volumeMountSchema.meta({ description: 'Shows a volume that Mooring keeps. Give this, `volume: {}` at least, `bind` or `tmpfs`.' }).optional(),
    configMap: configMapMountSchema.meta({ description: 'Shows a ConfigMap as files, always read-only. When it changes, the container is made anew.' }).optional(),
    secret: secretMountSchema.meta({ description: 'Shows a Secret as files, always read-only; they are kept in memory. When it changes, the container is made anew.' }).optional(),
    projected: projectedMountSchema.meta({ description: 'Shows several ConfigMaps and Secrets in one folder, as the two fields before this do.' }).optional(),
  })
  .check(
    checkedBy((mount) => {
      const given = KINDS.filter((kind) => mount[kind] !== undefined);
      if (given.length > 1) throw invalid(`has ${listed(given)}`, 'keep one of them');
      if (given.length === 0) throw invalid(`has none of ${listed(KINDS)}`, 'add `bind: {source: /path/on/the/node}`, `tmpfs: {}`, `volume: {name: data}` or `configMap: {name: web}`');
      return mount;
    }),
    foundBy((mount) => (mount.tmpfs !== undefined && mount.idmap !== 'None' ? [{ path: ['idmap'], message: "a tmpfs has no owner to map: it is the container's", fix: 'leave it out' }] : [])),
    foundBy((mount) => (mount.idmap !== 'None' && MADE.some((kind) => mount[kind] !== undefined) ? [{ path: ['idmap'], message: 'is for files whose owner can not be said', fix: 'leave it out, and give uid and gid' }] : [])),
  )
  .meta({ 'x-kubernetes-validations': [{ rule: `[${KINDS.map((kind) => `has(self.${kind})`).join(', ')}].exists_one(given, given)`, message: `exactly one of ${listed(KINDS)} is needed` }] });

export type Mount = z.output<typeof mountSchema>;
