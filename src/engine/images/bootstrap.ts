import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

import { errnoOf, MooringError } from '../../lib/errors.ts';
import type { BootstrapOptions } from '../images.ts';
import { hostPlatform } from './platform.ts';

/** What a name in a suite, a package or a variant may hold: nothing that a program would take for an option. */
const WORD = /^[a-zA-Z0-9][a-zA-Z0-9.+_:~/-]*$/;
const MAX_SAID = 20;

interface Bootstrapper {
  readonly program: string;
  /** Its arguments, to write an archive to standard output. */
  readonly args: (options: BootstrapOptions) => readonly string[];
}

const MMDEBSTRAP: Bootstrapper = {
  program: 'mmdebstrap',
  args: ({ suite, variant, mirror, include = [] }) => [
    `--variant=${variant ?? 'minbase'}`,
    '--format=tar',
    `--architectures=${hostPlatform().architecture}`,
    ...(include.length === 0 ? [] : [`--include=${include.join(',')}`]),
    // Names that the host made would stand in every image.
    '--customize-hook=: > "$1/etc/hostname"; : > "$1/etc/resolv.conf"; : > "$1/etc/machine-id"',
    suite,
    '-',
    ...(mirror === undefined ? [] : [mirror]),
  ],
};

/**
 * A root file system of Debian as a tar archive, made by mmdebstrap through the host's own apt, whose proxies and keys it so uses; with a mirror
 * in place of the host's sources. With `SOURCE_DATE_EPOCH`, the same packages give the same bytes. `onLine` is told what the program says.
 */
export async function* bootstrapDebian(options: BootstrapOptions, onLine: (line: string) => void, signal: AbortSignal | undefined): AsyncGenerator<Buffer, void, void> {
  checkWords(options);
  const { program, args } = MMDEBSTRAP;
  const epoch = options.sourceDateEpoch;
  const child = spawn(program, args(options), {
    stdio: ['ignore', 'pipe', 'pipe'],
    // A locale that the host has may not be in the image, and what an administrator set for the daemon is none of its business.
    env: { PATH: process.env['PATH'] ?? '', HOME: '/root', LC_ALL: 'C.UTF-8', DEBIAN_FRONTEND: 'noninteractive', ...proxies(), ...(epoch !== undefined && { SOURCE_DATE_EPOCH: String(epoch) }) },
    // It ends what it started when it is told to end, and only then removes its folder.
    killSignal: 'SIGTERM',
    ...(signal && { signal }),
  });
  const said: string[] = [];
  const lines = createInterface({ input: child.stderr });
  lines.on('line', (line) => {
    said.push(line);
    if (said.length > MAX_SAID) said.shift();
    onLine(line);
  });
  const ended = new Promise<number | string>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, by) => resolve(code ?? by ?? 'unknown'));
  });
  // It is awaited below, unless reading fails first.
  ended.catch(() => {});
  try {
    yield* child.stdout as AsyncIterable<Buffer>;
    const status = await ended;
    if (status !== 0) throw new MooringError('Unavailable', `${program} failed (${status}): ${lastErrors(said)}`, { fix: 'see that the suite is one of the mirror, and that the mirror is reached from here' });
  } catch (error) {
    signal?.throwIfAborted();
    if (errnoOf(error) === 'ENOENT') throw new MooringError('Unsupported', `${program}, which makes Debian's file systems, is not installed`, { fix: 'apt-get install mmdebstrap', cause: error });
    throw error;
  } finally {
    lines.close();
    if (child.exitCode === null && child.signalCode === null) child.kill();
  }
}

function checkWords({ suite, variant, mirror, include = [] }: BootstrapOptions): void {
  for (const [what, word] of [['suite', suite], ['variant', variant ?? 'minbase'], ...include.map((name) => ['package', name])] as const) {
    if (word === undefined || !WORD.test(word)) throw new MooringError('Invalid', `"${word}" is no ${what}`);
  }
  if (mirror !== undefined && !/^(https?|file|copy):\/\//.test(mirror)) throw new MooringError('Invalid', `"${mirror}" is not the address of a mirror`, { fix: 'write http://mirror.example/debian' });
}

/** Of the daemon's environment, as apt takes them. */
function proxies(): Record<string, string> {
  return Object.fromEntries(['http_proxy', 'https_proxy', 'no_proxy'].flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name] ?? '']])));
}

/** mmdebstrap marks its errors with E:, as apt does. */
function lastErrors(said: readonly string[]): string {
  const errors = said.filter((line) => line.startsWith('E:'));
  return (errors.length > 0 ? errors : said.slice(-3)).join('; ').slice(0, 500);
}
