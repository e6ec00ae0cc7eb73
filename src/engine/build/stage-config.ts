import { MooringError } from '../../lib/errors.ts';
import { quoted } from '../../lib/text.ts';
import { parseDuration } from '../../spec/duration.ts';
import { canonicalSignal } from '../../spec/signal.ts';
import type { ImageHealthcheck, ImageRuntimeConfig } from '../images/oci-image.ts';
import type { Instruction } from './instruction.ts';
import { parseTrigger } from './dockerfile.ts';
import { type StageVariables, splitVariable } from './variables.ts';
import { blankWords, jsonWords, quotedWords } from './words.ts';

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] };

export const DEFAULT_SHELL: readonly string[] = ['/bin/sh', '-c'];

/** What expansion an instruction's words go through. */
export type Expand = (word: string) => string;

/** The config that a stage's instructions change. Everything that is asked of it throws `Invalid` without a place, which the caller knows. */
export class StageConfig {
  readonly variables: StageVariables;
  readonly escape: '\\' | '`';
  author: string | undefined;
  readonly #config: Mutable<ImageRuntimeConfig>;
  #hasCommand = false;

  constructor(base: ImageRuntimeConfig, variables: StageVariables, escape: '\\' | '`') {
    // An ONBUILD is for the build that starts from the image, not for those after it.
    const { OnBuild: _, ...config } = base;
    this.#config = { ...config };
    this.variables = variables;
    this.escape = escape;
  }

  get user(): string {
    return this.#config.User ?? '';
  }

  get workingDir(): string {
    return this.#config.WorkingDir || '/';
  }

  get shell(): readonly string[] {
    return this.#config.Shell ?? DEFAULT_SHELL;
  }

  /** As the image's config is to have it. */
  result(): ImageRuntimeConfig {
    return { ...this.#config, Env: this.variables.entries() };
  }

  addLabels(labels: ReadonlyMap<string, string>): void {
    if (labels.size > 0) this.#config.Labels = { ...this.#config.Labels, ...Object.fromEntries(labels) };
  }

  setWorkingDir(path: string): void {
    this.#config.WorkingDir = path;
  }

  /** Applies an instruction that changes nothing but the config. Gives what history is to say of it. */
  apply(instruction: Instruction, expand: Expand): string {
    const { keyword, text } = instruction;
    switch (keyword) {
      case 'ENV': {
        const pairs = nameValues(text, this.escape).map(([name, value]) => [expand(name), expand(value)] as const);
        for (const [name, value] of pairs) {
          if (name === '') throw new MooringError('Invalid', 'ENV wants a name before the "="');
          this.variables.environment.set(name, value);
        }
        return `ENV ${pairs.map(([name, value]) => `${name}=${value}`).join(' ')}`;
      }
      case 'LABEL': {
        const pairs = nameValues(text, this.escape).map(([name, value]) => [expand(name), expand(value)] as const);
        this.addLabels(new Map(pairs));
        return `LABEL ${pairs.map(([name, value]) => `${name}=${value}`).join(' ')}`;
      }
      case 'MAINTAINER':
        this.author = expand(text);
        return `MAINTAINER ${this.author}`;
      case 'EXPOSE': {
        const ports = quotedWords(text, this.escape).flatMap((word) => blankWords(expand(word))).flatMap(exposedPorts);
        this.#config.ExposedPorts = { ...this.#config.ExposedPorts, ...Object.fromEntries(ports.map((port) => [port, {}])) };
        return `EXPOSE ${ports.join(' ')}`;
      }
      case 'USER':
        this.#config.User = expand(text);
        return `USER ${this.#config.User}`;
      case 'VOLUME': {
        const volumes = (jsonWords(text) ?? blankWords(text)).map(expand);
        if (volumes.length === 0 || volumes.some((volume) => volume.trim() === '')) throw new MooringError('Invalid', 'VOLUME wants paths that are not empty');
        this.#config.Volumes = { ...this.#config.Volumes, ...Object.fromEntries(volumes.map((volume) => [volume, {}])) };
        return `VOLUME ${JSON.stringify(volumes)}`;
      }
      case 'STOPSIGNAL': {
        const signal = expand(text);
        canonicalSignal(signal);
        this.#config.StopSignal = signal;
        return `STOPSIGNAL ${signal}`;
      }
      case 'SHELL': {
        const words = jsonWords(text);
        if (!words || words.length === 0) throw new MooringError('Invalid', 'SHELL wants the exec form', { fix: 'write SHELL ["/bin/bash", "-c"]' });
        this.#config.Shell = words;
        return `SHELL ${JSON.stringify(words)}`;
      }
      case 'CMD':
        this.#config.Cmd = this.command(text);
        this.#hasCommand = true;
        return `CMD ${JSON.stringify(this.#config.Cmd)}`;
      case 'ENTRYPOINT':
        this.#config.Entrypoint = this.command(text);
        // The base image's arguments are for the base image's program.
        if (!this.#hasCommand) this.#config.Cmd = null;
        return `ENTRYPOINT ${JSON.stringify(this.#config.Entrypoint)}`;
      case 'HEALTHCHECK':
        this.#config.Healthcheck = this.#healthcheck(instruction);
        return `HEALTHCHECK ${JSON.stringify(this.#config.Healthcheck.Test)}`;
      case 'ONBUILD': {
        const trigger = [text, ...instruction.heredocs.map(({ content, name }) => `${content}${name}`)].join('\n');
        parseTrigger(text, instruction.at, this.escape, instruction.heredocs);
        this.#config.OnBuild = [...(this.#config.OnBuild ?? []), trigger];
        return `ONBUILD ${trigger}`;
      }
      case 'ADD':
      case 'ARG':
      case 'COPY':
      case 'FROM':
      case 'RUN':
      case 'WORKDIR':
        throw new MooringError('Internal', `${keyword} changes more than the config`);
    }
  }

  /** Exec form as it is, or shell form with the shell before it. */
  command(text: string): readonly string[] {
    return jsonWords(text) ?? [...this.shell, text];
  }

  #healthcheck({ text, flags }: Instruction): ImageHealthcheck {
    const [kind = ''] = blankWords(text);
    const rest = text.slice(kind.length).trim();
    if (kind.toUpperCase() === 'NONE') {
      if (rest !== '' || flags.length > 0) throw new MooringError('Invalid', 'HEALTHCHECK NONE takes nothing more');
      return { Test: ['NONE'] };
    }
    if (kind.toUpperCase() !== 'CMD') throw new MooringError('Invalid', `HEALTHCHECK has no type ${quoted(kind)}`, { fix: 'write HEALTHCHECK CMD … or HEALTHCHECK NONE' });
    const words = jsonWords(rest);
    if (rest === '' || words?.length === 0) throw new MooringError('Invalid', 'HEALTHCHECK CMD wants a command');
    const check: Mutable<ImageHealthcheck> = { Test: words ? ['CMD', ...words] : ['CMD-SHELL', rest] };
    for (const { name, value = '' } of flags) {
      if (name === 'interval') check.Interval = duration(name, value);
      else if (name === 'timeout') check.Timeout = duration(name, value);
      else if (name === 'start-period') check.StartPeriod = duration(name, value);
      else if (name === 'start-interval') check.StartInterval = duration(name, value);
      else if (name === 'retries' && /^[0-9]+$/.test(value)) check.Retries = Number(value);
      else throw new MooringError('Invalid', name === 'retries' ? '--retries wants a number' : `HEALTHCHECK has no flag --${name}`);
    }
    return check;
  }
}

/** Nanoseconds. */
function duration(name: string, value: string): number {
  const nanos = Number(parseDuration(value));
  if (nanos !== 0 && nanos < 1e6) throw new MooringError('Invalid', `--${name} can't be shorter than 1ms`);
  return nanos;
}

/** `a=b "c"=d`, or the old form `name the rest`, nothing expanded yet. */
function nameValues(text: string, escape: string): [string, string][] {
  const words = quotedWords(text, escape);
  const [first = ''] = words;
  if (!first.includes('=')) {
    const rest = text.slice(text.indexOf(first) + first.length).trim();
    if (rest === '') throw new MooringError('Invalid', `${quoted(first)} lacks a value`, { fix: 'write name=value' });
    return [[first, rest]];
  }
  const strange = words.find((word) => !word.includes('='));
  if (strange !== undefined) throw new MooringError('Invalid', `${quoted(strange)} is no name=value`, { fix: 'put a value that has blanks in quotes' });
  return words.map(splitVariable);
}

function exposedPorts(text: string): string[] {
  const [, from, to, protocol = 'tcp'] = /^([0-9]{1,5})(?:-([0-9]{1,5}))?(?:\/([a-zA-Z]+))?$/.exec(text) ?? [];
  const kind = protocol.toLowerCase();
  if (from === undefined || !['tcp', 'udp', 'sctp'].includes(kind)) throw new MooringError('Invalid', `${quoted(text)} is no port to expose`, { fix: 'write it like 80, 80/udp or 8000-8010' });
  const [first, last] = [Number(from), Number(to ?? from)];
  if (first > last || last > 65_535) throw new MooringError('Invalid', `${quoted(text)} is no range of ports`);
  return Array.from({ length: last - first + 1 }, (_, offset) => `${first + offset}/${kind}`);
}
