import { MooringError } from '../../lib/errors.ts';
import { quoted } from '../../lib/text.ts';

/** A `RUN --mount`, its options as the reference has them. */
export type RunMount = { readonly from: string | undefined } & (
  | { readonly type: 'bind'; readonly target: string; readonly source: string; readonly writable: boolean }
  | {
      readonly type: 'cache';
      readonly target: string;
      readonly id: string;
      readonly source: string;
      readonly sharing: 'shared' | 'private' | 'locked';
      readonly readOnly: boolean;
      readonly mode: number;
      readonly uid: number;
      readonly gid: number;
    }
  | { readonly type: 'tmpfs'; readonly target: string; readonly size: number | undefined }
  | { readonly type: 'secret'; readonly id: string; readonly target: string | undefined; readonly variable: string | undefined; readonly required: boolean; readonly mode: number; readonly uid: number; readonly gid: number }
  | { readonly type: 'ssh'; readonly id: string; readonly target: string | undefined; readonly required: boolean; readonly mode: number; readonly uid: number; readonly gid: number }
);

const KNOWN: Readonly<Record<RunMount['type'], readonly string[]>> = {
  bind: ['target', 'source', 'from', 'rw', 'ro'],
  cache: ['target', 'id', 'source', 'from', 'sharing', 'ro', 'rw', 'mode', 'uid', 'gid'],
  tmpfs: ['target', 'size'],
  secret: ['id', 'target', 'env', 'required', 'mode', 'uid', 'gid'],
  ssh: ['id', 'target', 'required', 'mode', 'uid', 'gid'],
};
const ALIASES: Readonly<Record<string, string>> = { dst: 'target', destination: 'target', src: 'source', readonly: 'ro', readwrite: 'rw' };

/** Reads the value of a `--mount`. Throws `Invalid` with the place. */
export function parseMount(text: string, at: string): RunMount {
  const options = new Map<string, string>();
  for (const field of text.split(',')) {
    const equals = field.indexOf('=');
    const key = (equals < 0 ? field : field.slice(0, equals)).trim().toLowerCase();
    options.set(ALIASES[key] ?? key, equals < 0 ? 'true' : field.slice(equals + 1));
  }
  const type = options.get('type') ?? 'bind';
  const refuse = (why: string): MooringError => new MooringError('Invalid', `--mount=${text}: ${why}`, { at });
  if (!isType(type)) throw refuse(`there is no type ${quoted(type)}, but bind, cache, tmpfs, secret and ssh`);
  options.delete('type');
  const strange = [...options.keys()].find((key) => !KNOWN[type].includes(key));
  if (strange !== undefined) throw refuse(`type ${type} has no option ${quoted(strange)}`);
  const flag = (name: string): boolean => {
    const value = options.get(name) ?? 'false';
    if (value !== 'true' && value !== 'false') throw refuse(`${name} is true or false`);
    return value === 'true';
  };
  const number = (name: string, otherwise: number): number => {
    const value = options.get(name);
    if (value === undefined) return otherwise;
    if (!/^[0-9]+$/.test(value)) throw refuse(`${name} is a number`);
    return Number.parseInt(value, name === 'mode' ? 8 : 10);
  };
  const owner = { uid: number('uid', 0), gid: number('gid', 0) };
  const target = options.get('target');
  const from = options.get('from');
  const needed = (): string => {
    if (target === undefined || target === '') throw refuse('it wants a target');
    return target;
  };
  switch (type) {
    case 'bind':
      return { type, from, target: needed(), source: options.get('source') ?? '/', writable: flag('rw') };
    case 'cache': {
      const sharing = options.get('sharing') ?? 'shared';
      if (sharing !== 'shared' && sharing !== 'private' && sharing !== 'locked') throw refuse('sharing is shared, private or locked');
      return { type, from, target: needed(), id: options.get('id') ?? needed(), source: options.get('source') ?? '/', sharing, readOnly: flag('ro'), mode: number('mode', 0o755), ...owner };
    }
    case 'tmpfs':
      return { type, from: undefined, target: needed(), size: options.has('size') ? sizeOf(options.get('size') ?? '', refuse) : undefined };
    case 'secret': {
      const id = options.get('id') ?? target?.slice(target.lastIndexOf('/') + 1);
      if (id === undefined || id === '') throw refuse('it wants an id');
      const variable = options.get('env');
      return { type, from: undefined, id, target: target ?? (variable === undefined ? `/run/secrets/${id}` : undefined), variable, required: flag('required'), mode: number('mode', 0o400), ...owner };
    }
    case 'ssh':
      return { type, from: undefined, id: options.get('id') ?? 'default', target, required: flag('required'), mode: number('mode', 0o600), ...owner };
  }
}

function isType(text: string): text is RunMount['type'] {
  return Object.hasOwn(KNOWN, text);
}

function sizeOf(text: string, refuse: (why: string) => MooringError): number {
  const [, number, unit = ''] = /^([0-9]+)([bkmg]?)b?$/i.exec(text) ?? [];
  if (number === undefined) throw refuse('size is a number of bytes, or one with k, m or g behind it');
  return Number(number) * 1024 ** ['', 'k', 'm', 'g'].indexOf(unit.toLowerCase().replace('b', ''));
}
