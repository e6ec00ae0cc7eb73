import { MooringError } from '../../lib/errors.ts';
import { matchesShellPattern } from './shell-pattern.ts';

/** Variables by name; undefined for one that is not set. */
export type Lookup = (name: string) => string | undefined;

export interface ExpandOptions {
  readonly escape: string;
  readonly lookup: Lookup;
  /** Told of each variable that is not set and has no default. */
  readonly onUnset?: (name: string) => void;
}

/**
 * Replaces variables in one word and takes its quotes and escapes away (Dockerfile reference, "Environment replacement"): `$name`, `${name}`, and with
 * `:-`, `-`, `:+`, `+`, `:?`, `?`, `#`, `##`, `%`, `%%`, `/pattern/replacement`, `//pattern/replacement`. Throws `Invalid`.
 */
export function expandWord(word: string, options: ExpandOptions): string {
  return new Expansion(word, options, true).whole();
}

/** Replaces variables and leaves quotes as they are: the content of a here-document. */
export function expandText(text: string, options: ExpandOptions): string {
  return new Expansion(text, options, false).whole();
}

class Expansion {
  readonly #text: string;
  readonly #options: ExpandOptions;
  readonly #quotes: boolean;
  #at = 0;

  constructor(text: string, options: ExpandOptions, quotes: boolean) {
    this.#text = text;
    this.#options = options;
    this.#quotes = quotes;
  }

  whole(): string {
    return this.#until('', false);
  }

  /** Up to `stop`, which is taken; an empty `stop` is the end of the text. With `raw`, escapes stay: a pattern follows. */
  #until(stop: string, raw: boolean): string {
    let result = '';
    while (this.#at < this.#text.length) {
      const char = this.#text.charAt(this.#at++);
      if (char === stop) return result;
      if (char === this.#options.escape) result += this.#escaped(raw);
      else if (char === '$') result += this.#variable();
      else if (char === "'" && this.#quotes) result += this.#single();
      else if (char === '"' && this.#quotes) result += this.#double();
      else result += char;
    }
    if (stop !== '') throw invalid(this.#text, `it lacks a ${stop === '}' ? 'closing ' : ''}"${stop}"`);
    return result;
  }

  #escaped(raw: boolean): string {
    const { escape } = this.#options;
    const next = this.#text.charAt(this.#at++);
    if (next === '') return escape;
    if (raw) return `\\${next}`;
    return this.#quotes || next === '$' || next === escape ? next : escape + next;
  }

  #single(): string {
    const end = this.#text.indexOf("'", this.#at);
    if (end < 0) throw invalid(this.#text, "it lacks a closing '");
    const content = this.#text.slice(this.#at, end);
    this.#at = end + 1;
    return content;
  }

  #double(): string {
    const { escape } = this.#options;
    let result = '';
    while (this.#at < this.#text.length) {
      const char = this.#text.charAt(this.#at++);
      if (char === '"') return result;
      if (char === '$') result += this.#variable();
      else if (char === escape) {
        const next = this.#text.charAt(this.#at);
        if (next !== '' && `"$${escape}`.includes(next)) this.#at++;
        result += next !== '' && `"$${escape}`.includes(next) ? next : escape;
      } else result += char;
    }
    throw invalid(this.#text, 'it lacks a closing "');
  }

  /** What stands behind a `$`. */
  #variable(): string {
    if (this.#text.charAt(this.#at) !== '{') {
      const name = this.#name();
      return name === '' ? '$' : this.#value(name);
    }
    this.#at++;
    const name = this.#name();
    if (name === '') throw invalid(this.#text, '"${" wants the name of a variable behind it');
    const operator = this.#text.charAt(this.#at++);
    if (operator === '}') return this.#value(name);
    if (operator === '/') return this.#replaced(name);
    const colon = operator === ':';
    const kind = colon ? this.#text.charAt(this.#at++) : operator;
    if (kind === '-' || kind === '+' || kind === '?') return this.#conditional(name, kind, colon);
    if (!colon && (kind === '#' || kind === '%')) return this.#trimmed(name, kind);
    throw invalid(this.#text, kind === '' ? 'it lacks a closing "}"' : `there is no modifier "${colon ? ':' : ''}${kind}"`);
  }

  #conditional(name: string, kind: '-' | '+' | '?', emptyIsUnset: boolean): string {
    const word = this.#until('}', false);
    const value = this.#options.lookup(name);
    const isSet = value !== undefined && !(emptyIsUnset && value === '');
    if (kind === '+') return isSet ? word : '';
    if (isSet) return value;
    if (kind === '-') return word;
    throw new MooringError('Invalid', `${name}: ${word || (emptyIsUnset ? 'it must be set, and not be empty' : 'it must be set')}`);
  }

  #trimmed(name: string, side: '#' | '%'): string {
    const word = this.#until('}', true);
    const longest = word.startsWith(side);
    const pattern = longest ? word.slice(1) : word;
    const value = this.#value(name);
    const cuts = Array.from({ length: value.length + 1 }, (_, cut) => cut);
    // From a shortest match to the longest, or the other way round.
    for (const length of longest ? cuts.reverse() : cuts) {
      const part = side === '#' ? value.slice(0, length) : value.slice(value.length - length);
      if (matchesShellPattern(pattern, part)) return side === '#' ? value.slice(length) : value.slice(0, value.length - length);
    }
    return value;
  }

  #replaced(name: string): string {
    const all = this.#text.charAt(this.#at) === '/';
    if (all) this.#at++;
    const pattern = this.#until('/', true);
    const replacement = this.#until('}', false);
    const value = this.#value(name);
    if (pattern === '') return value;
    let result = '';
    let from = 0;
    while (from < value.length) {
      let end = value.length;
      while (end > from && !matchesShellPattern(pattern, value.slice(from, end))) end--;
      if (end === from) {
        result += value.charAt(from++);
        continue;
      }
      result += replacement;
      from = end;
      if (!all) break;
    }
    return result + value.slice(from);
  }

  #value(name: string): string {
    const value = this.#options.lookup(name);
    if (value === undefined) this.#options.onUnset?.(name);
    return value ?? '';
  }

  /** A name, a positional parameter's number, or one of the shell's special ones. */
  #name(): string {
    const [name = ''] = /^([A-Za-z_][A-Za-z0-9_]*|[0-9]+|[@*#?!-])/.exec(this.#text.slice(this.#at)) ?? [];
    this.#at += name.length;
    return name;
  }
}

function invalid(text: string, why: string): MooringError {
  return new MooringError('Invalid', `${JSON.stringify(text)} can't be expanded: ${why}`);
}
