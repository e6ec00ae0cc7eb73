import { wrong } from './wrong.ts';

export interface Token {
  readonly kind: 'literal' | 'fields' | 'word' | 'pipe' | 'open' | 'close' | 'assign' | 'comma';
  readonly text: string;
  /** Of a literal. */
  readonly value?: string | number | boolean | null;
  /** No blank is before it. */
  readonly glued: boolean;
}

const TOKEN = /(?<blank>\s+)|(?<text>"(?:[^"\\]|\\.)*")|(?<raw>`[^`]*`)|(?<number>[+-]?\d+(?:\.\d+)?)|(?<fields>\$\w*(?:\.\w+)*|(?:\.\w+)+|\.)|(?<word>[A-Za-z_]\w*)|(?<assign>:=|=)|(?<sign>[|(),])/y;
const SIGNS: Readonly<Record<string, Token['kind']>> = { '|': 'pipe', '(': 'open', ')': 'close', ',': 'comma' };
const CONSTANTS: Readonly<Record<string, boolean | null>> = { true: true, false: false, nil: null };

/** The words of one action. */
export function tokensOf(action: string): Token[] {
  const tokens: Token[] = [];
  let glued = false;
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < action.length) {
    const at = TOKEN.lastIndex;
    const found = TOKEN.exec(action)?.groups;
    if (found === undefined) throw wrong(`"${action.slice(at)}" can't be read`);
    const { blank, text, raw, number, fields, word, assign, sign } = found;
    if (text !== undefined) tokens.push({ kind: 'literal', text, value: unquoted(text), glued });
    else if (raw !== undefined) tokens.push({ kind: 'literal', text: raw, value: raw.slice(1, -1), glued });
    else if (number !== undefined) tokens.push({ kind: 'literal', text: number, value: Number(number), glued });
    else if (fields !== undefined) tokens.push({ kind: 'fields', text: fields, glued });
    else if (word !== undefined) tokens.push(Object.hasOwn(CONSTANTS, word) ? { kind: 'literal', text: word, value: CONSTANTS[word] ?? null, glued } : { kind: 'word', text: word, glued });
    else if (assign !== undefined) tokens.push({ kind: 'assign', text: assign, glued });
    else if (sign !== undefined) tokens.push({ kind: SIGNS[sign] ?? 'comma', text: sign, glued });
    glued = blank === undefined;
  }
  return tokens;
}

function unquoted(text: string): string {
  try {
    return JSON.parse(text) as string;
  } catch {
    throw wrong(`${text} is no string`);
  }
}
