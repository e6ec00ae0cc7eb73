import { type Document, type ErrorCode, Lexer, parseAllDocuments, type YAMLError } from 'yaml';
import type { TextFault } from './source-text.ts';

export const MAX_DOCUMENTS = 1000;
/** Lexical tokens of a file, about 20,000 lines. What parsing costs grows with them: a 1 MiB file of nothing but brackets would hold the event loop for seconds. */
const MAX_TOKENS = 100_000;
const MAX_FLOW_DEPTH = 64;

export type SyntaxFault = Omit<TextFault, 'text'>;

/** Bounds the work before any of it is done: the fault of a text that holds too much, or undefined. */
export function boundsFault(text: string): SyntaxFault | undefined {
  let tokens = 0;
  let documents = 1;
  let depth = 0;
  let offset = 0;
  for (const token of new Lexer().lex(text)) {
    if (token === '---' && ++documents > MAX_DOCUMENTS + 1) return { offset, message: `holds more than ${MAX_DOCUMENTS} documents`, fix: 'split the file' };
    if (++tokens > MAX_TOKENS) return { offset, message: `holds more than ${MAX_TOKENS} tokens`, fix: 'split the file' };
    if (token === '[' || token === '{') depth++;
    else if (token === ']' || token === '}') depth = Math.max(0, depth - 1);
    if (depth > MAX_FLOW_DEPTH) return { offset, message: `is nested more than ${MAX_FLOW_DEPTH} deep` };
    // The lexer marks documents, scalars and the end of a broken flow collection by control characters that the text does not hold.
    if (token !== '\u0002' && token !== '\u001f' && token !== '\u0018') offset += token.length;
  }
  return undefined;
}

/** Every document of a text, read as YAML 1.2 with its core schema. JSON is a part of that. */
export function parseYaml(text: string): Document.Parsed[] {
  const documents = parseAllDocuments(text, {
    version: '1.2',
    schema: 'core',
    merge: false,
    resolveKnownTags: false,
    stringKeys: true,
    uniqueKeys: false, // compares every key with every other; YamlTree finds them in linear time
    prettyErrors: false,
    logLevel: 'silent',
  });
  return Array.isArray(documents) ? documents : [];
}

/** What one syntax error says to people. The errors behind the first of a document mostly follow from it. */
export function syntaxFault(error: YAMLError, text: string): SyntaxFault {
  const [offset] = error.pos;
  const clearer = offset >= text.trimEnd().length && /\bend with|closing/.test(error.message) ? UNCLOSED : CLEARER[error.code];
  return clearer === undefined ? { offset, message: error.message.replace(QUOTED_WORDS, '') } : { offset, ...clearer };
}

/** What the parser quotes of the text at an error's end, but for punctuation: it may be a password. */
const QUOTED_WORDS = /: "[^]*[A-Za-z0-9][^]*"$/;
const UNCLOSED = { message: 'ends inside of a quoted text, a [list] or a {mapping}', fix: 'close it; the file may be cut off' };
const CLEARER: Partial<Record<ErrorCode, Omit<SyntaxFault, 'offset'>>> = {
  TAB_AS_INDENT: { message: 'is indented with a tab', fix: 'indent with spaces' },
  BLOCK_AS_IMPLICIT_KEY: { message: 'a mapping begins where a value was expected', fix: 'check the indentation, or quote a value that holds ": "' },
  MULTILINE_IMPLICIT_KEY: { message: 'a key or its colon is missing', fix: 'write `name: value`' },
  RESOURCE_EXHAUSTION: { message: 'is nested too deep' },
  NON_STRING_KEY: { message: 'a key is a list or a mapping', fix: 'write a plain key; quote a value that begins with { or [' },
};
