/** The arguments of an instruction's exec form, `["a", "b"]`; undefined where the text is none, which makes it shell form. */
export function jsonWords(text: string): readonly string[] | undefined {
  if (!text.startsWith('[')) return undefined;
  try {
    const parsed: unknown = JSON.parse(text);
    return Array.isArray(parsed) && parsed.every((each) => typeof each === 'string') ? parsed : undefined;
  } catch {
    return undefined; // the reference: what is not a JSON array is shell form
  }
}

/** Words between blanks; quotes mean nothing here. */
export function blankWords(text: string): string[] {
  return text.split(/[\t\v\f\r ]+/).filter((word) => word !== '');
}

/** Words between blanks that are neither quoted nor escaped; quotes and escapes are kept, for the expansion to take. */
export function quotedWords(text: string, escape: string): string[] {
  const words: string[] = [];
  let word = '';
  let quote = '';
  for (let index = 0; index < text.length; index++) {
    const char = text.charAt(index);
    if (char === escape && quote !== "'" && index + 1 < text.length) {
      word += char + text.charAt(++index);
      continue;
    }
    if (quote === '' && /\s/.test(char)) {
      if (word !== '') words.push(word);
      word = '';
      continue;
    }
    if (quote === '' && (char === '"' || char === "'")) quote = char;
    else if (char === quote) quote = '';
    word += char;
  }
  if (word !== '') words.push(word);
  return words;
}
