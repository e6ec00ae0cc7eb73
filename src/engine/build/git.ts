import { spawn } from 'node:child_process';
import { mkdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { text } from 'node:stream/consumers';

import { MooringError } from '../../lib/errors.ts';
import { quoted } from '../../lib/text.ts';

/** Where a repository is, and what of it is wanted. */
export interface GitSource {
  readonly url: string;
  /** Branch, tag or commit; undefined is the default branch. */
  readonly reference: string | undefined;
  readonly folder: string;
}

/** Only what goes over the network: a Dockerfile must not read repositories of the node. */
const PROTOCOLS = 'https:http:git:ssh';
const COMMIT = /^[0-9a-f]{40}([0-9a-f]{24})?$/;

/** `https://host/repo.git#reference:folder`, `git@host:repo.git`, `git://…`; undefined for what is no address of a repository. */
export function parseGitSource(address: string): GitSource | undefined {
  const [url, fragment] = splitOnce(address, '#');
  const isGit = /^(git|ssh):\/\//.test(url) || /^https?:\/\/.+\.git$/.test(url) || /^[A-Za-z0-9._-]+@[A-Za-z0-9._-]+:/.test(url);
  if (!isGit) return undefined;
  const [reference, folder] = splitOnce(fragment, ':');
  return { url, reference: reference === '' ? undefined : reference, folder };
}

/** Checks a repository out into `target`, an absolute path where nothing is, and gives the commit. Throws `Unavailable`, or `Invalid`. */
export async function checkOut({ url, reference, folder }: GitSource, target: string, { keepGitFolder, signal }: { readonly keepGitFolder: boolean; readonly signal: AbortSignal }): Promise<{ readonly commit: string; readonly folder: string }> {
  if (url.startsWith('-') || reference?.startsWith('-')) throw new MooringError('Invalid', `${quoted(url)} is no repository`);
  await mkdir(target, { recursive: true });
  const git = (...args: readonly string[]): Promise<string> => run(['-C', target, ...args], url, signal);
  await git('init', '--quiet');
  await git('remote', 'add', 'origin', url);
  const wanted = reference ?? 'HEAD';
  // Not every server gives a commit by its name; then the branches are fetched whole.
  await git('fetch', '--quiet', '--depth', '1', 'origin', wanted).catch(async (error: unknown) => {
    if (!COMMIT.test(wanted)) throw error;
    await git('fetch', '--quiet', '--tags', 'origin', '+refs/heads/*:refs/remotes/origin/*');
  });
  await git('checkout', '--quiet', '--detach', COMMIT.test(wanted) ? wanted : 'FETCH_HEAD');
  await git('submodule', 'update', '--quiet', '--init', '--recursive', '--depth', '1');
  const commit = (await git('rev-parse', 'HEAD')).trim();
  if (!keepGitFolder) await rm(path.join(target, '.git'), { recursive: true, force: true });
  return { commit, folder };
}

async function run(args: readonly string[], url: string, signal: AbortSignal): Promise<string> {
  const child = spawn('git', ['-c', 'core.hooksPath=/dev/null', '-c', 'protocol.file.allow=never', ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: process.env['PATH'], HOME: '/nonexistent', GIT_TERMINAL_PROMPT: '0', GIT_CONFIG_NOSYSTEM: '1', GIT_ALLOW_PROTOCOL: PROTOCOLS, ...(process.env['SSH_AUTH_SOCK'] !== undefined && { SSH_AUTH_SOCK: process.env['SSH_AUTH_SOCK'] }) },
    signal,
    killSignal: 'SIGKILL',
  });
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  const [code, out, complaint] = await Promise.allSettled([ended, text(child.stdout), text(child.stderr)]);
  signal.throwIfAborted();
  if (code.status === 'rejected') throw new MooringError('Unavailable', `fetch ${url}: git can't be run`, { cause: code.reason, fix: 'install git on the node' });
  if (code.value !== 0) throw new MooringError('Unavailable', `fetch ${url}: git ${args[2] ?? ''} failed: ${complaint.status === 'fulfilled' ? complaint.value.trim() : ''}`);
  return out.status === 'fulfilled' ? out.value : '';
}

function splitOnce(whole: string, separator: string): [string, string] {
  const at = whole.indexOf(separator);
  return at < 0 ? [whole, ''] : [whole.slice(0, at), whole.slice(at + 1)];
}
