import { z } from 'zod';
import { listed } from '../lib/text.ts';
import { checkedBy, foundBy } from './check.ts';
import { CONFIG_KEY_PATTERN } from './config-data.ts';
import { type Grammar, grammarString } from './grammar.ts';
import { invalid } from './invalid.ts';
import { DNS_SUBDOMAIN } from './kubernetes-names.ts';
import { PATH_COMPONENT, PATH_MAX_LENGTH } from './path.ts';
import { repeated } from './repeated.ts';

/** What is mounted of ConfigMaps and Secrets. */

export const sourceNameField = (what: string) => grammarString(DNS_SUBDOMAIN).meta({ description: `Name of a ${what} of the container's namespace.` });

export const optionalField = (otherwise: string) => z.boolean().meta({ description: `Where it is missing, ${otherwise}. Without this, the container waits for it.` }).default(false);

/** A file's place below a mount. */
const FILE_PATH: Grammar = {
  pattern: new RegExp(`^${PATH_COMPONENT}(/${PATH_COMPONENT})*$`),
  maxLength: PATH_MAX_LENGTH,
  what: 'a path below the mount: relative, without "." and ".." in it, without a slash at its end',
};

const modeField = () => grammarString({ pattern: /^0?[0-7]{3}$/, maxLength: 4, what: 'the mode of a file: three octal digits' });

const itemSchema = z.strictObject({
  key: grammarString({ pattern: CONFIG_KEY_PATTERN, maxLength: 253, what: 'a key: letters, digits, "-", "_" and "."' }).meta({ pattern: '^[-._a-zA-Z0-9]+$', description: 'The key whose value it holds.' }),
  path: grammarString(FILE_PATH).meta({ description: 'Where it appears below the mount.' }),
  mode: modeField().meta({ description: 'Its mode, in octal and in quotes. Without it, `defaultMode`.' }).optional(),
});

const sourceFields = (what: string) => ({
  name: sourceNameField(what),
  items: z
    .array(itemSchema)
    .max(1024)
    .check(foundBy((items) => repeated(items, ({ path }) => path, 'path')))
    .meta({ description: 'What to show, and where. Without it, every key as a file of that name.', 'x-kubernetes-list-type': 'atomic' })
    .default([]),
  optional: optionalField('show what there is'),
});

const OWNER_MAX = 2 ** 32 - 2;

const shownFields = {
  defaultMode: modeField().meta({ description: 'The mode of its files, in octal and in quotes.' }).default('0644'),
  uid: z.int().min(0).max(OWNER_MAX).meta({ description: 'Whose its files are.' }).default(0),
  gid: z.int().min(0).max(OWNER_MAX).meta({ description: 'The group of its files.' }).default(0),
  subPath: grammarString(FILE_PATH).meta({ description: 'Show only this file or folder of it: so one file can be put among those of the image.' }).optional(),
};

export const configMapMountSchema = z.strictObject({ ...sourceFields('ConfigMap'), ...shownFields });
export const secretMountSchema = z.strictObject({ ...sourceFields('Secret'), ...shownFields });

const PROJECTED = ['configMap', 'secret'] as const;

export const projectedMountSchema = z.strictObject({
  sources: z
    .array(
      z
        .strictObject({
          configMap: z.strictObject(sourceFields('ConfigMap')).meta({ description: 'Files of a ConfigMap. Give this or `secret`.' }).optional(),
          secret: z.strictObject(sourceFields('Secret')).meta({ description: 'Files of a Secret. Give this or `configMap`.' }).optional(),
        })
        .check(
          checkedBy((source) => {
            const given = PROJECTED.filter((kind) => source[kind] !== undefined);
            if (given.length > 1) throw invalid(`has ${listed(given)}`, 'divide it in two');
            if (given.length === 0) throw invalid('has neither configMap nor secret', 'add one of them: {name: …}');
            return source;
          }),
        )
        .meta({ 'x-kubernetes-validations': [{ rule: 'has(self.configMap) != has(self.secret)', message: 'exactly one of configMap and secret is needed' }] }),
    )
    .min(1)
    .max(64)
    .meta({ description: 'What is shown; a file of a later one stands over one of the same path before it.', 'x-kubernetes-list-type': 'atomic' }),
  ...shownFields,
});
