import { formatPlatform } from '../images/platform.ts';
import type { Platform } from '../images/oci-image.ts';
import type { Lookup } from './expand.ts';

/** Arguments that need no ARG: they reach RUN's environment, and neither the image nor the cache (Dockerfile reference, "Predefined ARGs"). */
export const PROXY_ARGUMENTS: readonly string[] = ['HTTP_PROXY', 'HTTPS_PROXY', 'FTP_PROXY', 'NO_PROXY', 'ALL_PROXY'].flatMap((name) => [name, name.toLowerCase()]);

/** What an ARG without a value gets from the build itself (Dockerfile reference, "Automatic platform ARGs in the global scope"). */
export function platformArguments(build: Platform, target: Platform): ReadonlyMap<string, string> {
  const of = (prefix: string, platform: Platform): [string, string][] => [
    [`${prefix}PLATFORM`, formatPlatform(platform)],
    [`${prefix}OS`, platform.os],
    [`${prefix}ARCH`, platform.architecture],
    [`${prefix}VARIANT`, platform.variant ?? ''],
  ];
  return new Map([...of('BUILD', build), ...of('TARGET', target)]);
}

/** Variables of one stage: what ENV set over what ARG declared. */
export class StageVariables {
  readonly environment: Map<string, string>;
  readonly #arguments = new Map<string, string>();
  /** Declared, whether or not with a value. */
  readonly declared = new Set<string>();

  /** `environment`: `KEY=value`, of the image that the stage starts from. */
  constructor(environment: readonly string[] = []) {
    this.environment = new Map(environment.map((entry) => splitVariable(entry)));
  }

  readonly lookup: Lookup = (name) => this.environment.get(name) ?? this.#arguments.get(name);

  declare(name: string, value: string | undefined): void {
    this.declared.add(name);
    if (value !== undefined) this.#arguments.set(name, value);
  }

  /** The arguments that have a value and are hidden by no ENV, in the order of their names. */
  arguments(): readonly (readonly [string, string])[] {
    return [...this.#arguments].filter(([name]) => !this.environment.has(name)).sort(([a], [b]) => (a < b ? -1 : 1));
  }

  /** `KEY=value` of ENV, as an image's config has them. */
  entries(): string[] {
    return [...this.environment].map(([name, value]) => `${name}=${value}`);
  }
}

export function splitVariable(entry: string): [string, string] {
  const equals = entry.indexOf('=');
  return equals < 0 ? [entry, ''] : [entry.slice(0, equals), entry.slice(equals + 1)];
}

/** The `NAME` and `NAME=default` of an ARG, defaults expanded one after the other. */
export function* readArguments(words: readonly string[], expand: (word: string) => string): Generator<readonly [string, string | undefined]> {
  for (const word of words) {
    const equals = word.indexOf('=');
    yield equals < 0 ? [expand(word), undefined] : [expand(word.slice(0, equals)), expand(word.slice(equals + 1))];
  }
}
