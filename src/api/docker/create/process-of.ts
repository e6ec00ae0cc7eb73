import { posix } from 'node:path';
import type { ImageRuntimeConfig } from '../../../engine/images/oci-image.ts';
import { MooringError } from '../../../lib/errors.ts';
import { canonicalSignal } from '../../../spec/signal.ts';
import type { CreateBody } from './create-body.ts';
import { bad, unsupported } from './refusal.ts';
import type { SpecInput } from './spec-input.ts';

/** What runs and as whom: of Config the command, the environment, the user, standard input and terminal, and how it is asked to end. */
export function processOf(body: CreateBody, image: ImageRuntimeConfig): SpecInput {
  const { User: user, WorkingDir: workingDir } = body;
  return {
    ...commandOf(body, image),
    env: environmentOf(body.Env, image.Env ?? []),
    ...(workingDir !== '' && { workingDir: folder(workingDir) }),
    ...(user !== '' && { user }),
    tty: body.Tty,
    stdin: body.OpenStdin,
    stdinOnce: body.StdinOnce,
    ...stopOf(body, image),
  };
}

/**
 * dockerd's rules: an entrypoint of the request drops the image's Cmd; an empty one, or one of an empty word, leaves the image's entrypoint out.
 * A Cmd of the request takes the place of the image's.
 */
function commandOf({ Entrypoint: entrypoint, Cmd: cmd }: CreateBody, image: ImageRuntimeConfig): SpecInput {
  const words = cmd !== null && cmd.length > 0 ? cmd : undefined;
  if (entrypoint === null) {
    if (words === undefined && !image.Cmd?.length && !image.Entrypoint?.length) throw bad('No command specified');
    return words === undefined ? {} : { args: words };
  }
  if (entrypoint.some((word) => word !== '')) return { command: entrypoint, ...(words !== undefined && { args: words }) };
  const alone = words ?? (entrypoint.length === 0 ? (image.Cmd ?? []) : []);
  if (alone.length === 0) throw bad('No command specified');
  return { command: [...alone] };
}

/** `NAME=value`, the last of a name counts; a name alone takes the variable away. */
function environmentOf(given: readonly string[], ofImage: readonly string[]): { name: string; value: string }[] {
  const variables = new Map<string, string>();
  for (const entry of given) {
    const equals = entry.indexOf('=');
    const name = equals < 0 ? entry : entry.slice(0, equals);
    if (name === '') throw bad(`invalid environment variable: ${entry}`);
    variables.delete(name);
    if (equals >= 0) variables.set(name, entry.slice(equals + 1));
    else if (ofImage.some((own) => own.startsWith(`${name}=`))) throw unsupported(`taking the variable ${name} of the image away`, `give it an empty value: ${name}=`);
  }
  return [...variables].map(([name, value]) => ({ name, value }));
}

function folder(workingDir: string): string {
  if (!workingDir.startsWith('/')) throw bad(`the working directory '${workingDir}' is invalid, it needs to be an absolute path`);
  return posix.resolve('/', workingDir);
}

/** More is no more than for ever. */
const LONGEST_STOP = 86_400;

function stopOf({ StopSignal: given, StopTimeout: seconds }: CreateBody, image: ImageRuntimeConfig): SpecInput {
  const signal = given || image.StopSignal || '';
  if (seconds !== null && seconds !== undefined && (seconds < 0 || seconds > LONGEST_STOP)) {
    throw unsupported(`a stop timeout of ${seconds} seconds`, `give one from 0 to ${LONGEST_STOP}; docker stop -t -1 waits for ever this once`);
  }
  return { ...(signal !== '' && { stopSignal: knownSignal(signal) }), ...(typeof seconds === 'number' && { stopTimeoutSeconds: seconds }) };
}

function knownSignal(text: string): string {
  try {
    return canonicalSignal(text);
  } catch (error) {
    throw new MooringError('Invalid', `invalid signal: ${text}`, { cause: error });
  }
}
