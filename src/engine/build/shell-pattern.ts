/** Whether a shell's pattern matches all of a text: `*` any characters, `?` one, `\` takes the next as it stands. Linear in the text for each `*`. */
export function matchesShellPattern(pattern: string, text: string): boolean {
  const parts = [...pattern.matchAll(/\\(.)|([\s\S])/g)].map(([, escaped, plain = '']) => ({ char: escaped ?? plain, literal: escaped !== undefined }));
  let part = 0;
  let index = 0;
  let star = -1;
  let resume = 0;
  while (index < text.length) {
    const each = parts[part];
    if (each && !each.literal && each.char === '*') {
      star = part++;
      resume = index;
    } else if (each && ((each.char === '?' && !each.literal) || each.char === text[index])) {
      part++;
      index++;
    } else if (star >= 0) {
      part = star + 1;
      index = ++resume;
    } else {
      return false;
    }
  }
  return parts.slice(part).every(({ char, literal }) => char === '*' && !literal);
}
