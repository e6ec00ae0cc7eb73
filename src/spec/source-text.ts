import { isUtf8 } from 'node:buffer';

/** The most that one file may hold. */
export const MAX_FILE_BYTES = 1024 * 1024;

/** Why a file's bytes are not a text to parse, and at which offset of what could be read. */
export interface TextFault {
  readonly text: string;
  readonly offset: number;
  readonly message: string;
  readonly fix?: string;
}

const BYTE_ORDER_MARK = '\uFEFF';
/** What YAML calls not printable (c-printable, YAML 1.2.2 chapter 5.1), lone surrogates included. */
// eslint-disable-next-line no-control-regex -- control characters are what it looks for
const NOT_PRINTABLE = /[\x00-\x08\x0B\x0C\x0E-\x1F\x7F-\x84\x86-\x9F\uFFFE\uFFFF]|[\uD800-\uDBFF](?![\uDC00-\uDFFF])|(?<![\uD800-\uDBFF])[\uDC00-\uDFFF]/;

/** The text of a file: UTF-8 without control characters and not too long; its byte order mark is dropped. */
export function readText(content: Uint8Array | string): { readonly text: string } | TextFault {
  const size = typeof content === 'string' ? Buffer.byteLength(content) : content.byteLength;
  if (size > MAX_FILE_BYTES) return { text: '', offset: 0, message: `is ${size} bytes long, at most ${MAX_FILE_BYTES} are read`, fix: 'split it' };
  const decoded = typeof content === 'string' ? content : new TextDecoder('utf-8', { ignoreBOM: true }).decode(content);
  const text = decoded.startsWith(BYTE_ORDER_MARK) ? decoded.slice(1) : decoded;
  if (typeof content !== 'string' && !isUtf8(content)) {
    return { text, offset: firstUndecoded(decoded, content) - (decoded.length - text.length), message: 'is not text in UTF-8', fix: 'save it as UTF-8' };
  }
  const odd = NOT_PRINTABLE.exec(text);
  if (odd === null) return { text };
  const code = text.charCodeAt(odd.index).toString(16).toUpperCase().padStart(4, '0');
  return { text, offset: odd.index, message: `holds the character U+${code}, which is no text`, fix: 'remove it; in double quotes it can be written as an escape' };
}

/** Index in `decoded` of the first replacement character that stands for bytes that are not UTF-8, rather than for itself. */
function firstUndecoded(decoded: string, bytes: Uint8Array): number {
  for (let index = decoded.indexOf('\uFFFD'); index >= 0; index = decoded.indexOf('\uFFFD', index + 1)) {
    const offset = Buffer.byteLength(decoded.slice(0, index));
    if (bytes[offset] !== 0xef || bytes[offset + 1] !== 0xbf || bytes[offset + 2] !== 0xbd) return index;
  }
  return 0;
}
