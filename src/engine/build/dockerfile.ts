import { DockerfileParser } from 'dockerfile-ast';

import { MooringError } from '../../lib/errors.ts';
import { listed, nearest, quoted } from '../../lib/text.ts';
import { type Flag, type Heredoc, type Instruction, type Keyword, KEYWORDS } from './instruction.ts';
import { type LogicalLine, logicalLines } from './logical-lines.ts';
import { quotedWords } from './words.ts';

/** More than any Dockerfile that was written by people. */
const MAX_BYTES = 1024 * 1024;

export interface Dockerfile {
  /** For messages. */
  readonly file: string;
  readonly escape: '\\' | '`';
  readonly check: CheckDirective;
  readonly instructions: readonly Instruction[];
}

/** `# check=skip=a,b;error=true`. */
export interface CheckDirective {
  readonly skip: ReadonlySet<string>;
  readonly error: boolean;
}

/** Reads a Dockerfile into its instructions. Throws `Invalid` with the line and column. */
export function parseDockerfile(content: string, file: string): Dockerfile {
  if (content.length > MAX_BYTES) throw new MooringError('Invalid', `${file} is longer than ${MAX_BYTES} bytes`);
  const text = content.replace(/^\uFEFF/, '').replaceAll('\r\n', '\n');
  const { escape, check } = readDirectives(text, file);
  const { text: prepared, lines } = logicalLines(text, escape, file);
  const instructions = DockerfileParser.parse(prepared).getInstructions().map((parsed) => {
    const { start } = parsed.getRange();
    const at = `${file}:${start.line + 1}:${start.character + 1}`;
    const line = lines.get(start.line);
    if (!line) throw new MooringError('Invalid', 'this line can not be told from the instruction before it', { at, fix: 'put an empty line between them' });
    return toInstruction(line, at, escape);
  });
  if (instructions.length === 0) throw new MooringError('Invalid', `${file} holds no instruction`, { at: `${file}:1:1`, fix: 'begin it with FROM' });
  return { file, escape, check, instructions };
}

/** The instruction of an ONBUILD: what stands behind it, or what an image's config has kept of one. Throws `Invalid`. */
export function parseTrigger(text: string, at: string, escape: Dockerfile['escape'], heredocs: readonly Heredoc[] = []): Instruction {
  const { lines } = heredocs.length > 0 ? { lines: new Map([[0, { text, heredocs }]]) } : logicalLines(text, escape, at);
  const inner = toInstruction(lines.get(0) ?? { text, heredocs }, at, escape);
  if (['ONBUILD', 'FROM', 'MAINTAINER'].includes(inner.keyword)) throw new MooringError('Invalid', `ONBUILD can't have ${inner.keyword} as its instruction`, { at });
  return inner;
}

function toInstruction({ text: source, heredocs }: LogicalLine, at: string, escape: string): Instruction {
  const [word = ''] = /^\S+/.exec(source) ?? [];
  const keyword = keywordOf(word, at);
  const { flags, text } = FLAGGED.has(keyword) ? splitFlags(source.slice(word.length).trim(), escape) : { flags: [], text: source.slice(word.length).trim() };
  if (text === '') throw new MooringError('Invalid', `${keyword} lacks its arguments`, { at });
  return { keyword, flags, text, heredocs, at, source };
}

const FLAGGED: ReadonlySet<Keyword> = new Set<Keyword>(['ADD', 'COPY', 'FROM', 'HEALTHCHECK', 'RUN']);

/** The words that begin with `--`, their quotes and escapes taken away, and what stands behind them. */
function splitFlags(text: string, escape: string): { readonly flags: readonly Flag[]; readonly text: string } {
  const flags: Flag[] = [];
  let rest = text;
  while (rest.startsWith('--')) {
    const [word = ''] = quotedWords(rest, escape);
    rest = rest.slice(word.length).trimStart();
    if (word === '--') break;
    const plain = word.replace(new RegExp(`\\${escape}(.)|["']`, 'gs'), '$1');
    const equals = plain.indexOf('=');
    flags.push({ name: plain.slice(2, equals < 0 ? undefined : equals), value: equals < 0 ? undefined : plain.slice(equals + 1) });
  }
  return { flags, text: rest };
}

function keywordOf(text: string, at: string): Keyword {
  const upper = text.toUpperCase();
  const keyword = KEYWORDS.find((each) => each === upper);
  if (keyword) return keyword;
  const meant = nearest(upper, KEYWORDS);
  throw new MooringError('Invalid', `there is no instruction ${quoted(text)}`, { at, fix: meant === undefined ? `the instructions are ${listed(KEYWORDS)}` : `did you mean ${meant}?` });
}

const DIRECTIVE = /^#\s*([a-zA-Z][a-zA-Z0-9]*)\s*=\s*(.+?)\s*$/;
/** The frontends whose language this builder speaks itself. */
const OWN_SYNTAX = /^(?:docker\.io\/)?docker\/dockerfile(?:-upstream)?(?:[:@].*)?$/;

/** The comments at the very top that say how to read the rest (Dockerfile reference, "Parser directives"). */
function readDirectives(text: string, file: string): { readonly escape: Dockerfile['escape']; readonly check: CheckDirective } {
  const found = new Map<string, string>();
  for (const [index, line] of text.split('\n').entries()) {
    if (index === 0 && line.startsWith('#!')) continue;
    const [, name = '', value = ''] = DIRECTIVE.exec(line.trim()) ?? [];
    const key = name.toLowerCase();
    if (key === '') break;
    const at = `${file}:${index + 1}:1`;
    if (found.has(key) && ['syntax', 'escape', 'check'].includes(key)) throw new MooringError('Invalid', `the directive ${key} is given twice`, { at });
    found.set(key, value);
    if (key === 'escape' && value !== '\\' && value !== '`') throw new MooringError('Invalid', `the escape character can't be ${quoted(value)}`, { at, fix: 'use \\ or `' });
    if (key === 'syntax' && !OWN_SYNTAX.test(value)) throw new MooringError('Unsupported', `the syntax ${quoted(value)} needs a frontend of its own, which can't be loaded`, { at, fix: 'use docker/dockerfile:1, which is built in' });
  }
  return { escape: found.get('escape') === '`' ? '`' : '\\', check: checkDirective(found.get('check')) };
}

function checkDirective(text = ''): CheckDirective {
  const parts = new Map(text.split(';').map((part) => part.split('=').map((side) => side.trim()) as [string, string | undefined]));
  return { skip: new Set((parts.get('skip') ?? '').split(',').map((rule) => rule.trim()).filter(Boolean)), error: parts.get('error') === 'true' };
}
