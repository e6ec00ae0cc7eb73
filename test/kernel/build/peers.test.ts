import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';

import { BASE, TestBuilder } from './support.ts';

const run = promisify(execFile);
const CORPUS = path.join(import.meta.dirname, 'corpus');

/** What an image says and holds, as far as two builders must agree on it. */
interface Content {
  readonly config: unknown;
  /** `kind mode uid:gid links path [-> target] [hash]`, sorted. */
  readonly files: readonly string[];
}

/** Buildah with a store of its own. */
class Buildah implements AsyncDisposable {
  readonly #root: string;

  constructor(root: string) {
    this.#root = root;
  }

  static async open(): Promise<Buildah> {
    return new Buildah(await mkdtemp(path.join(tmpdir(), 'mooring-buildah-')));
  }

  async run(...args: readonly string[]): Promise<string> {
    const { stdout } = await run('buildah', ['--root', path.join(this.#root, 'root'), '--runroot', path.join(this.#root, 'run'), '--storage-driver', 'vfs', ...args], { env: { ...process.env, TMPDIR: this.#root }, maxBuffer: 2 ** 26 });
    return stdout.trim();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.run('rmi', '--all', '--force').catch(() => ''); // what can't be removed so goes with the folder
    await rm(this.#root, { recursive: true, force: true });
  }
}

/** What buildah leaves of the files that it mounted, and folders that only runtimes fill. */
const LEFT = /^(d [0-9]+ [0-9:]+ (proc|sys|dev|run|run\/secrets) *|f [0-9]+ 0:0 etc\/(hostname|resolv.conf) *|e3b0c442[0-9a-f]+ {2}\.\/etc\/(hostname|resolv.conf))$/;

/** Reads an OCI archive with tools of the system alone. */
async function contentOf(archive: string, root: string): Promise<Content> {
  const layout = await mkdtemp(path.join(root, 'look-'));
  await run('tar', ['-xf', archive, '-C', layout]);
  const blob = (digest: string): string => path.join(layout, 'blobs/sha256', digest.slice('sha256:'.length));
  const json = async <T>(file: string): Promise<T> => JSON.parse(await readFile(file, 'utf8')) as T;
  const index = await json<{ manifests: { digest: string }[] }>(path.join(layout, 'index.json'));
  const manifest = await json<{ config: { digest: string }; layers: { digest: string }[] }>(blob(index.manifests[0]?.digest ?? ''));
  const { config } = await json<{ config: Record<string, unknown> }>(blob(manifest.config.digest));
  const rootfs = path.join(layout, 'rootfs');
  await mkdir(rootfs);
  for (const { digest } of manifest.layers) {
    const { stdout } = await run('tar', ['-tf', blob(digest)], { maxBuffer: 2 ** 26 });
    for (const name of stdout.split('\n').filter((each) => path.basename(each).startsWith('.wh.'))) {
      const folder = path.join(rootfs, path.dirname(name));
      const gone = path.basename(name) === '.wh..wh..opq' ? await readdir(folder).catch(() => []) : [path.basename(name).slice('.wh.'.length)];
      for (const each of gone) await rm(path.join(folder, each), { recursive: true, force: true });
    }
    await run('tar', ['-xpf', blob(digest), '-C', rootfs, '--exclude=.wh.*', '--numeric-owner', '--delay-directory-restore']);
  }
  const { stdout } = await run('sh', ['-c', `find . -mindepth 1 -printf '%y %m %U:%G %P %l\\n' | LC_ALL=C sort; find . -type f ! -path ./bin/busybox -exec sha256sum {} + | LC_ALL=C sort`], { cwd: rootfs, maxBuffer: 2 ** 26 });
  const files = stdout.split('\n').filter((line) => line !== '' && !LEFT.test(line) && !line.endsWith(' /bin/busybox'));
  await rm(layout, { recursive: true });
  return { config: agreed(config), files };
}

/** Fields without those that are empty, which builders write or leave out, or that an OCI config has not; labels without the builder's own; variables in any order. */
function agreed(config: Readonly<Record<string, unknown>>): unknown {
  const { Labels, Env, ...rest } = config;
  const byName = ([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number => (a < b ? -1 : 1);
  const labels = Object.entries((Labels ?? {}) as Record<string, string>).filter(([name]) => !name.startsWith('io.buildah.'));
  const isFilled = (value: unknown): boolean => value !== null && value !== '' && value !== false && !(typeof value === 'object' && Object.keys(value).length === 0);
  const fields = Object.entries(rest).filter(([, value]) => isFilled(value));
  return { Env: new Set((Env ?? []) as string[]), ...Object.fromEntries(fields.sort(byName)), ...(labels.length > 0 && { Labels: Object.fromEntries(labels.sort(byName)) }) };
}

test('buildah makes the same of every Dockerfile of the corpus: the same config, the same files', { concurrency: 2 }, async (t) => {
  await using builder = await TestBuilder.open();
  await using buildah = await Buildah.open();
  const base = path.join(builder.root, 'base.tar');
  await writeFile(base, Buffer.concat(await Array.fromAsync(await builder.images.save([BASE], 'oci'))));
  await buildah.run('pull', '-q', `oci-archive:${base}`);
  await buildah.run('tag', (await buildah.run('images', '-q')).split('\n')[0] ?? '', BASE);
  const context = path.join(builder.root, 'context');
  await cp(path.join(CORPUS, 'context'), context, { recursive: true });
  await symlink('a.txt', path.join(context, 'link'));
  await run('tar', ['-C', context, '--owner=0', '--group=0', '-cf', path.join(context, 'archive.tar'), 'src']);
  const compare = (name: string) =>
    t.test(name, async () => {
      const text = (await readFile(path.join(CORPUS, name), 'utf8')).replaceAll('@BASE@', BASE);
      const file = path.join(builder.root, name);
      await writeFile(file, text);
      const [ours, theirs] = [path.join(builder.root, `${name}.ours.tar`), path.join(builder.root, `${name}.theirs.tar`)];
      const args = new Map([['GIVEN', 'from outside']]);
      await builder.build(text, context, { buildArguments: args, network: 'None', tags: [`example.local/${name}:1`], outputs: [{ type: 'oci', destination: ours }] });
      await buildah.run('bud', '-q', '--isolation', 'chroot', '--layers=false', '--format', 'oci', '--build-arg', 'GIVEN=from outside', '--pull-never', '-f', file, '-t', `theirs-${name}`, context);
      await buildah.run('push', '-q', `theirs-${name}`, `oci-archive:${theirs}`);
      const [own, other] = await Promise.all([contentOf(ours, builder.root), contentOf(theirs, builder.root)]);
      assert.deepEqual(own.config, other.config);
      assert.deepEqual(own.files, other.files);
    });
  await Promise.all((await readdir(CORPUS)).filter((each) => each.endsWith('.dockerfile')).sort().map(compare));
});
