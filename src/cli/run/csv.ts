import { badFlag } from './bad-flag.ts';

/** One line of comma-separated fields as `key=value`, a field in double quotes where it holds a comma (RFC 4180). A key alone has no value. */
export function keyValues(flag: string, text: string): [key: string, value: string | undefined][] {
  return fields(flag, text).map((field) => {
    const equals = field.indexOf('=');
    return equals < 0 ? [field.trim().toLowerCase(), undefined] : [field.slice(0, equals).trim().toLowerCase(), field.slice(equals + 1)];
  });
}

function fields(flag: string, text: string): string[] {
  const found: string[] = [];
  const field = /"((?:[^"]|"")*)"(?=,|$)|([^",]*)(?=,|$)/y;
  for (let at = 0; ; at = field.lastIndex + 1) {
    field.lastIndex = at;
    const match = field.exec(text);
    if (match === null) throw badFlag(flag, text, 'has a double quote within a field', 'put the whole field in double quotes, and double those in it');
    found.push(match[1]?.replaceAll('""', '"') ?? match[2] ?? '');
    if (field.lastIndex >= text.length) return found;
  }
}
