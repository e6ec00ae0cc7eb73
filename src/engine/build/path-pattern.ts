import { MooringError } from '../../lib/errors.ts';

/** Whether a name has a character that means more than itself in a path pattern. */
export function isPathPattern(text: string): boolean {
  return /[*?[]/.test(text);
}

/**
 * A pattern of Go's `filepath.Match`, which COPY and ADD speak: `*` and `?` match within one component, `[a-z]` and `[^a-z]` one character, `\` takes the
 * next as it stands. With `deep`, `**` matches any number of components, as `--exclude` and `.dockerignore` have it. Throws `Invalid`.
 */
export function pathPattern(pattern: string, { deep = false }: { readonly deep?: boolean } = {}): RegExp {
  let source = '';
  for (let index = 0; index < pattern.length; index++) {
    const char = pattern.charAt(index);
    if (deep && pattern.startsWith('**', index)) {
      index += pattern.charAt(index + 2) === '/' ? 2 : 1;
      source += index + 1 >= pattern.length ? '.*' : '(?:.*/)?';
    } else if (char === '*') source += '[^/]*';
    else if (char === '?') source += '[^/]';
    else if (char === '[') {
      const { text, end } = characterClass(pattern, index);
      source += text;
      index = end;
    } else if (char === '\\') {
      const next = pattern.charAt(++index);
      if (next === '') throw malformed(pattern);
      source += literal(next);
    } else source += literal(char);
  }
  return new RegExp(`^${source}$`, 'su');
}

function characterClass(pattern: string, start: number): { readonly text: string; readonly end: number } {
  let index = start + 1;
  const negated = pattern.charAt(index) === '^';
  if (negated) index++;
  let members = '';
  const one = (): string => {
    if (pattern.charAt(index) === '\\') index++;
    const char = pattern.charAt(index++);
    if (char === '') throw malformed(pattern);
    return literal(char);
  };
  do {
    if (pattern.charAt(index) === '-' || (pattern.charAt(index) === ']' && members === '')) throw malformed(pattern);
    const low = one();
    if (pattern.charAt(index) !== '-') {
      members += low;
      continue;
    }
    index++;
    if (pattern.charAt(index) === ']') throw malformed(pattern);
    members += `${low}-${one()}`;
  } while (pattern.charAt(index) !== ']' && index < pattern.length);
  if (pattern.charAt(index) !== ']') throw malformed(pattern);
  return { text: negated ? `[^/${members}]` : `(?!/)[${members}]`, end: index };
}

function literal(char: string): string {
  return /[\^$\\.*+?()[\]{}|/-]/.test(char) ? `\\${char}` : char;
}

function malformed(pattern: string): MooringError {
  return new MooringError('Invalid', `${JSON.stringify(pattern)} is a malformed pattern`);
}
