import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';

import { errnoOf, MooringError } from '../../../lib/errors.ts';
import { checkedBy, foundBy } from '../../../spec/check.ts';
import { faultsOf } from '../../../spec/field-fault.ts';
import { isRegistryHost, parseImageReference } from '../../../spec/image-reference.ts';
import { invalid } from '../../../spec/invalid.ts';
import { LineIndex } from '../../../spec/line-index.ts';
import { fieldPath, withoutNulls } from '../../../spec/schema-walk.ts';
import { readText } from '../../../spec/source-text.ts';
import { boundsFault, parseYaml, syntaxFault } from '../../../spec/yaml-text.ts';
import { YamlTree } from '../../../spec/yaml-tree.ts';
import type { HostSettings } from './registry-settings.ts';

export interface RegistriesFile {
  readonly defaultRegistry?: string;
  readonly hosts: ReadonlyMap<string, HostSettings>;
}

const MAX_VALUES = 10_000;

function hostField(all?: '*') {
  return z.string().check(
    checkedBy((text: string) => {
      if (text !== all && !isRegistryHost(text)) throw invalid(`"${text}" is not a registry's host`, `write HOST or HOST:PORT, without a scheme${all === undefined ? '' : ', or "*" for all others'}`);
      return text;
    }),
  );
}

const mirror = z.string().check(
  checkedBy((text: string) => {
    const { registry } = parseImageReference(`${text}/x`);
    if (!text.startsWith(registry)) throw invalid(`"${text}" is not a mirror`, 'write HOST[:PORT][/PATH], without a scheme; a host has a dot or a port');
    return text;
  }),
);

const fileSchema = z.strictObject({
  /** What names without a registry mean. */
  defaultRegistry: hostField().optional(),
  registries: z
    .array(
      z.strictObject({
        host: hostField('*'),
        mirrors: z.array(mirror).max(16).default([]),
        insecure: z.boolean().default(false),
        caFile: z.string().refine((text) => path.isAbsolute(text), 'must be an absolute path').optional(),
      }),
    )
    .check(
      foundBy((registries) =>
        registries.flatMap(({ host }, index) => (registries.findIndex((other) => other.host === host) < index ? [{ path: [index, 'host'], message: `"${host}" is given twice`, fix: 'keep one of them' }] : [])),
      ),
    )
    .default([]),
});

/** Reads how registries are reached. A file that is not there says nothing, unless it was asked for. Throws `Invalid` with `file:line:column`. */
export async function readRegistriesFile(file: string, { required }: { readonly required: boolean }): Promise<RegistriesFile> {
  let content: Buffer;
  try {
    content = await readFile(file);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT' && !required) return { hosts: new Map() };
    throw new MooringError('Invalid', `the settings of registries can't be read: ${file}`, { cause: error, fix: 'give --registries a file that is there' });
  }
  return parseRegistriesFile(content, file);
}

export function parseRegistriesFile(content: Uint8Array, file: string): RegistriesFile {
  const source = readText(content);
  const lines = new LineIndex(source.text);
  const fail = (offset: number, message: string, fix?: string): never => {
    throw new MooringError('Invalid', message, { at: lines.at(file, offset), ...(fix !== undefined && { fix }) });
  };
  const fault = 'message' in source ? source : boundsFault(source.text);
  if (fault) return fail(fault.offset, `the file ${fault.message}`, fault.fix);
  const [document, ...more] = parseYaml(source.text);
  if (!document || document.contents === null) return { hosts: new Map() };
  const [error] = document.errors;
  if (error) {
    const { offset, message, fix } = syntaxFault(error, source.text);
    return fail(offset, message, fix);
  }
  if (more.length > 0) return fail(more[0]?.range[0] ?? 0, 'the file holds more than one document', 'keep one');
  const tree = new YamlTree(document, { left: MAX_VALUES });
  const [wrong] = tree.faults;
  if (wrong) return fail(wrong.offset ?? tree.offsetOf(wrong.path, wrong.onKey), `${fieldPath(wrong.path)} ${wrong.message}`.trimStart(), wrong.fix);
  const value = withoutNulls(fileSchema, tree.value);
  const parsed = fileSchema.safeParse(value);
  if (!parsed.success) {
    const [first] = faultsOf(parsed.error.issues, fileSchema, value);
    if (!first) throw new MooringError('Internal', `the settings of registries were refused without a reason`, { at: file });
    return fail(tree.offsetOf(first.path, first.onKey), `${fieldPath(first.path)}: ${first.message}`.replace(/^: /, ''), first.fix);
  }
  const { defaultRegistry, registries } = parsed.data;
  const hosts = registries.map(({ host, mirrors, insecure, caFile }): [string, HostSettings] => [host, { mirrors, insecure, ...(caFile !== undefined && { caFile }) }]);
  return { hosts: new Map(hosts), ...(defaultRegistry !== undefined && { defaultRegistry }) };
}
