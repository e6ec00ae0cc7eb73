import { type Token, tokensOf } from './tokens.ts';
import { wrong } from './wrong.ts';

/** Go's text/template, as far as `--format` has use for it (https://pkg.go.dev/text/template). */
export type Node =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'print'; readonly value: Pipeline }
  | { readonly kind: 'if' | 'with'; readonly value: Pipeline; readonly body: readonly Node[]; readonly otherwise: readonly Node[] }
  | { readonly kind: 'range'; readonly value: Pipeline; readonly body: readonly Node[]; readonly otherwise: readonly Node[] };

export interface Pipeline {
  /** `$x :=`, `$i, $x :=`. */
  readonly names: readonly string[];
  readonly commands: readonly (readonly Operand[])[];
}

export type Operand =
  | { readonly kind: 'literal'; readonly value: string | number | boolean | null }
  /** Of the dot, of a variable (`$` is the whole), or of what a pipeline in parentheses gives. */
  | { readonly kind: 'fields'; readonly of: 'dot' | { readonly name: string } | Pipeline; readonly path: readonly string[] }
  | { readonly kind: 'function'; readonly name: string };

interface Piece {
  readonly text?: string;
  readonly action?: string;
}

/** Throws `Invalid` for what is no template. */
export function parseTemplate(text: string): readonly Node[] {
  const pieces = piecesOf(text);
  const { nodes, end } = block(pieces);
  if (end !== undefined) throw wrong(`{{${end}}} closes nothing`);
  return nodes;
}

/** What stands between `{{` and `}}`, and the text around; `{{-` and `-}}` take the blanks beside them away. */
function piecesOf(text: string): Piece[] {
  const pieces: Piece[] = [];
  const action = /\{\{(-\s)?((?:"(?:[^"\\]|\\.)*"|`[^`]*`|\/\*[^]*?\*\/|(?!\}\})[^])*?)(\s-)?\}\}/g;
  let at = 0;
  let trim = false;
  for (const match of text.matchAll(action)) {
    const before = text.slice(at, match.index);
    const left = trim ? before.trimStart() : before;
    pieces.push({ text: match[1] === undefined ? left : left.trimEnd() }, { action: (match[2] ?? '').trim() });
    at = match.index + match[0].length;
    trim = match[3] !== undefined;
  }
  const rest = text.slice(at);
  if (rest.includes('{{')) throw wrong('a {{ has no }}');
  pieces.push({ text: trim ? rest.trimStart() : rest });
  return pieces.filter((piece) => piece.text !== '' && piece.action?.startsWith('/*') !== true);
}

/** Nodes up to an `end` or `else` that is not theirs. */
function block(pieces: Piece[]): { nodes: Node[]; end?: string } {
  const nodes: Node[] = [];
  for (let piece = pieces.shift(); piece !== undefined; piece = pieces.shift()) {
    if (piece.text !== undefined) nodes.push({ kind: 'text', text: piece.text });
    else {
      const action = piece.action ?? '';
      const [, word = '', rest = ''] = /^([a-z]+)\b\s*([^]*)$/.exec(action) ?? [];
      if (word === 'end' || word === 'else') return { nodes, end: action };
      if (word === 'if' || word === 'with' || word === 'range') nodes.push(nested(word, rest, pieces));
      else if (['define', 'template', 'block', 'break', 'continue'].includes(word)) throw wrong(`{{${word}}} is not done here`);
      else nodes.push({ kind: 'print', value: pipelineOf(tokensOf(action)) });
    }
  }
  return { nodes };
}

function nested(kind: 'if' | 'with' | 'range', condition: string, pieces: Piece[]): Node {
  const value = pipelineOf(tokensOf(condition));
  const { nodes: body, end } = block(pieces);
  if (end === undefined) throw wrong(`{{${kind}}} has no {{end}}`);
  if (end === 'end') return { kind, value, body, otherwise: [] };
  const [, word = '', rest = ''] = /^else(?:\s+(if|with)\s+([^]+))?$/.exec(end) ?? [];
  if (word === 'if' || word === 'with') return { kind, value, body, otherwise: [nested(word, rest, pieces)] };
  const { nodes: otherwise, end: last } = block(pieces);
  if (last !== 'end') throw wrong(`{{${kind}}} has no {{end}}`);
  return { kind, value, body, otherwise };
}

function pipelineOf(tokens: Token[], closes = false): Pipeline {
  const assignment = tokens.findIndex(({ kind }) => kind === 'assign');
  const names = assignment < 0 ? [] : tokens.splice(0, assignment + 1).flatMap(({ kind, text }) => (kind === 'fields' && text.startsWith('$') ? [text] : []));
  const commands: Operand[][] = [[]];
  for (let token = tokens.shift(); token !== undefined; token = tokens.shift()) {
    if (token.kind === 'close') {
      if (!closes) throw wrong('a ) closes nothing');
      return complete({ names, commands });
    }
    if (token.kind === 'pipe') commands.push([]);
    else commands.at(-1)?.push(operandOf(token, tokens));
  }
  if (closes) throw wrong('a ( has no )');
  return complete({ names, commands });
}

function complete(pipeline: Pipeline): Pipeline {
  if (pipeline.commands.some((command) => command.length === 0)) throw wrong('there is nothing between {{ and }}, or beside a |');
  return pipeline;
}

function operandOf(token: Token, rest: Token[]): Operand {
  if (token.kind === 'literal') return { kind: 'literal', value: token.value ?? null };
  if (token.kind === 'open') {
    const inner = pipelineOf(rest, true);
    const next = rest[0];
    if (next?.kind !== 'fields' || !next.glued || !next.text.startsWith('.')) return { kind: 'fields', of: inner, path: [] };
    rest.shift();
    return { kind: 'fields', of: inner, path: pathOf(next.text) };
  }
  if (token.kind === 'word') return { kind: 'function', name: token.text };
  if (token.kind !== 'fields') throw wrong(`"${token.text}" is not expected there`);
  if (!token.text.startsWith('$')) return { kind: 'fields', of: 'dot', path: pathOf(token.text) };
  const [name = '$', ...path] = token.text.split('.');
  return { kind: 'fields', of: { name }, path };
}

function pathOf(text: string): string[] {
  return text.split('.').filter((part) => part !== '');
}
