import { z } from 'zod';
import { quoted } from '../lib/text.ts';
import { checkedBy, type Finding } from './check.ts';
import { invalid } from './invalid.ts';

/** Kubernetes' MaxSecretSize, which holds for ConfigMaps, too: bytes of all values together. */
export const MAX_CONFIG_BYTES = 1024 * 1024;

/** Kubernetes' IsConfigMapKey: what a file can be named. */
export const CONFIG_KEY_PATTERN = /^(?!\.{1,2}$|\.\.)[-._a-zA-Z0-9]{1,253}$/;

/** A key of a ConfigMap or a Secret. */
export const configKeySchema = z
  .string()
  .max(253)
  .check(
    checkedBy((key) => {
      if (!CONFIG_KEY_PATTERN.test(key)) throw invalid(`the key ${quoted(key)} is not one: letters, digits, "-", "_" and ".", not beginning with ".."`);
      return key;
    }),
  );

const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

/** Bytes in base64 (RFC 4648, section 4, with padding), in which line breaks say nothing. What is wrong is told without the value. */
export const base64Schema = z.string().check(
  checkedBy((text) => {
    const bare = text.replace(/[\r\n]/g, '');
    if (!BASE64.test(bare)) throw invalid('is not base64', 'encode it with "base64 -w0"; plain text goes into stringData of a Secret, or data of a ConfigMap');
    return bare;
  }),
);

/** What is wrong with the sizes of values; `bytes` is of all of them. */
export function sizeFindings(path: string, values: readonly Buffer[]): Finding[] {
  const bytes = values.reduce((sum, value) => sum + value.length, 0);
  return bytes > MAX_CONFIG_BYTES ? [{ path: [path], message: `holds ${bytes} bytes together, at most ${MAX_CONFIG_BYTES} are allowed`, fix: 'divide it, or mount a file of the node' }] : [];
}
