import { durationMs } from '../../duration.ts';
import type { Field } from '../../translate/field.ts';
import { FieldError } from '../../translate/problem-list.ts';
import { entriesOf, fieldsAmong, flagOf, isList, itemsOf, oneOrMore, textOf, wordOf } from '../../translate/read-field.ts';
import { shellWords } from '../../translate/units.ts';
import { parseEnvFile } from '../env-file.ts';
import { asMapping } from '../merge.ts';
import { absolutePath, type Handlers, put, refused, type Service, text } from './handler.ts';

/** What runs, as whom, with what around it. */
export const PROCESS: Handlers = {
  command: (field, service) => {
    const words = wordsOf(field);
    const entrypoint = service.field.get('entrypoint');
    // An entrypoint of no words leaves the image's out: then the command is all there is.
    if (entrypoint !== undefined && wordsOf(entrypoint).length === 0) return put(service, { command: words }, field);
    if (words.length === 0 && entrypoint === undefined) throw new FieldError(field, "an image's entrypoint can't be run without the image's own arguments", 'give the entrypoint, too');
    put(service, { args: words }, field);
  },
  entrypoint: (field, service) => {
    const words = wordsOf(field);
    const command = service.field.get('command');
    if (words.length > 0) return put(service, { command: words }, field);
    if (command === undefined || wordsOf(command).length === 0) throw new FieldError(field, "leaves the image's entrypoint out, and there is no command", 'give a command');
  },
  // With `env_file` below it: see environmentOf.
  environment: (field, service) => environmentOf(service, field),
  env_file: (field, service) => {
    if (service.field.get('environment') === undefined) environmentOf(service, field);
  },
  working_dir: text((workingDir) => ({ workingDir })),
  user: text((user) => ({ user })),
  group_add: (field, service) => put(service, { supplementalGroups: itemsOf(field).map(textOf) }, field),
  hostname: text((hostname) => ({ hostname })),
  domainname: text((domainname) => ({ domainname })),
  tty: (field, service) => put(service, { tty: flagOf(field) }, field),
  stdin_open: (field, service) => put(service, { stdin: flagOf(field) }, field),
  init: (field, service) => put(service, { init: flagOf(field) }, field),
  stop_signal: text((stopSignal) => ({ stopSignal })),
  stop_grace_period: (field, service) => put(service, { stopTimeoutSeconds: secondsOf(field) }, field),
  post_start: refused('hooks are not supported'),
  pre_stop: refused('hooks are not supported'),
};

/** A list of words, or one text that is divided as a shell does. */
export function wordsOf(field: Field): string[] {
  return isList(field) ? field.value.map(textOf) : shellWords(textOf(field));
}

/** Whole seconds of a duration, rounded up. */
export function secondsOf(field: Field): number {
  const given = textOf(field);
  return Math.ceil(durationMs(/^[0-9]+$/.test(given) ? `${given}s` : given) / 1000);
}

/** The variables of the environment files, in their order, and over them those of the service. */
function environmentOf(service: Service, origin: Field): void {
  const { field, project } = service;
  const variables = new Map<string, { readonly value: string; readonly from: Field }>();
  for (const file of envFilesOf(field)) {
    const content = project.texts.get(file.path);
    if (content === undefined) {
      if (file.required) throw new FieldError(file.field, `there is no file ${file.path}`, 'make it, or set required to false');
      continue;
    }
    const { variables: found, faults } = parseEnvFile(content, project.lookup, file.raw);
    for (const { line, message } of faults) project.problems.fault(file.field, `line ${line} of ${file.path}: ${message}`);
    for (const [name, value] of found) variables.set(name, { value, from: file.field });
  }
  const environment = field.get('environment');
  for (const [name, from] of environment === undefined ? [] : entriesOf(asMapping(environment, 'environment'))) {
    const value = from.value === null ? project.lookup(name) : textOf(from);
    if (value === undefined) variables.delete(name);
    else variables.set(name, { value, from });
  }
  if (variables.size === 0) put(service, { env: [] }, origin);
  for (const [name, { value, from }] of variables) put(service, { env: [{ name, value }] }, from);
}

interface EnvFileReference {
  readonly field: Field;
  readonly path: string;
  readonly required: boolean;
  readonly raw: boolean;
}

export function envFilesOf(service: Field): EnvFileReference[] {
  const files = service.get('env_file');
  return (files === undefined ? [] : oneOrMore(files)).map((field) => {
    if (typeof field.value === 'string') return { field, path: absolutePath(field, field.value), required: true, raw: false };
    const { path, required, format } = fieldsAmong(field, ['path', 'required', 'format']);
    if (path === undefined) throw new FieldError(field, 'has no path');
    return { field, path: absolutePath(path, textOf(path)), required: required === undefined || flagOf(required), raw: format !== undefined && wordOf(format, ['raw']) === 'raw' };
  });
}
