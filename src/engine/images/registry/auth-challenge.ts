/** One way that a server offers to authenticate (RFC 9110, section 11.6.1). */
export interface AuthChallenge {
  /** In lower case: `bearer`, `basic`. */
  readonly scheme: string;
  /** Names in lower case. */
  readonly parameters: ReadonlyMap<string, string>;
}

const TOKEN = "[!#$%&'*+.^_`|~0-9A-Za-z-]+";
const PARAMETER = new RegExp(`^(${TOKEN})[ \\t]*=[ \\t]*(?:"((?:[^"\\\\]|\\\\.)*)"|(${TOKEN}))`);
const SCHEME = new RegExp(`^(${TOKEN})(?=$|[ \\t,])`);

/** The challenges of `WWW-Authenticate` headers, in order. What can't be read ends the list. */
export function parseChallenges(headers: string | readonly string[] | undefined): AuthChallenge[] {
  return [headers ?? []].flat().flatMap(parseHeader);
}

function parseHeader(header: string): AuthChallenge[] {
  const challenges: { scheme: string; parameters: Map<string, string> }[] = [];
  let rest = header;
  for (;;) {
    rest = rest.replace(/^[ \t,]+/, '');
    const parameter = PARAMETER.exec(rest);
    const current = challenges.at(-1);
    if (parameter?.[1] !== undefined && current) {
      current.parameters.set(parameter[1].toLowerCase(), parameter[2]?.replaceAll(/\\(.)/g, '$1') ?? parameter[3] ?? '');
      rest = rest.slice(parameter[0].length);
      continue;
    }
    const scheme = SCHEME.exec(rest)?.[1];
    if (scheme === undefined) return challenges;
    challenges.push({ scheme: scheme.toLowerCase(), parameters: new Map() });
    rest = rest.slice(scheme.length);
  }
}
