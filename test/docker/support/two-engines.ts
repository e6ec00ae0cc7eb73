import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { cp, mkdir, mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { buffer } from 'node:stream/consumers';
import { TestNode } from '../../support/daemon.ts';
import { messageOf } from '../../../src/lib/errors.ts';
import { OwnDockerd } from './own-dockerd.ts';
import { type CommandResult, runDocker } from './run-docker.ts';

export interface Engine {
  readonly name: 'dockerd' | 'mooring';
  readonly host: string;
  docker(...args: readonly string[]): Promise<CommandResult>;
  with(options: { readonly input?: string | Buffer; readonly command?: string }, ...args: readonly string[]): Promise<CommandResult>;
}

export interface CompareOptions {
  readonly input?: string | Buffer;
  /** In place of `docker`. */
  readonly command?: string;
  /** Beyond ids and times: what differs with a reason, and is made alike. */
  readonly also?: (text: string, engine: Engine) => string;
  /** Compares the words of the lines as sets: an order that nobody promises. */
  readonly anyOrder?: boolean;
  /** Only the exit status: the words are each engine's own. */
  readonly codeOnly?: boolean;
}

/** Stands in a command for a number of an address that the two engines must not share. */
export const OCTET = '{octet}';
const OCTETS = { dockerd: '210', mooring: '211' } as const;

/** A real dockerd and Mooring side by side, with the same image `busybox` on both, and the same docker command. */
export class TwoEngines {
  readonly mooring: Engine;
  readonly dockerd: Engine;
  readonly node: TestNode;
  /** How many steps were compared. */
  steps = 0;
  readonly #differences: string[] = [];

  private constructor(node: TestNode, dockerdHost: string) {
    this.node = node;
    this.mooring = engineAt('mooring', `unix://${node.runDir}/docker.sock`);
    this.dockerd = engineAt('dockerd', dockerdHost);
  }

  get both(): readonly Engine[] {
    return [this.dockerd, this.mooring];
  }

  /** Both must run. */
  static async open(node: TestNode, dockerd: OwnDockerd): Promise<TwoEngines> {
    const engines = new TwoEngines(node, dockerd.host);
    const image = await busyboxArchive();
    const taken = await Promise.all(engines.both.map((engine) => engine.with({ input: image }, 'import', '--change', 'CMD ["sh"]', '-', 'busybox:latest')));
    for (const { code, stderr } of taken) assert.equal(code, 0, stderr);
    return engines;
  }

  /** Removes Mooring's containers, without a grace. */
  static async clear({ runDir }: Pick<TestNode, 'runDir'>): Promise<void> {
    const host = `unix://${runDir}/docker.sock`;
    const ids = (await runDocker(host, ['ps', '-aq'])).stdout.split('\n').filter(Boolean);
    if (ids.length > 0) await runDocker(host, ['rm', '-fv', ...ids]);
  }

  /** Fails with every step that differed. */
  assertSame(): void {
    assert.equal(this.#differences.length, 0, `of ${this.steps} steps ${this.#differences.length} differ:\n${this.#differences.join('\n')}`);
  }

  /** Runs the step on both, and notes where it does not do the same: exit status, standard output and error, but for ids and times. Gives back Mooring's. */
  async same(args: readonly string[], options: CompareOptions = {}): Promise<CommandResult> {
    const results = await Promise.all(this.both.map((engine) => engine.with(options, ...args.map((word) => word.replaceAll(OCTET, OCTETS[engine.name])))));
    const [wanted, found] = results.map((result, index) => alike(result, this.both[index] as Engine, options));
    this.steps++;
    if (!isDeepStrictEqual(found, wanted)) this.#differences.push(`docker ${args.join(' ')}\n  dockerd: ${JSON.stringify(wanted)}\n  mooring: ${JSON.stringify(found)}`);
    return results[1] as CommandResult;
  }
}

/** A test's body with both engines, which start and end side by side; afterwards nothing of Mooring may be left. */
export function onBothEngines(body: (engines: TwoEngines) => Promise<void>): () => Promise<void> {
  return async () => {
    const node = await TestNode.create();
    const dockerd = OwnDockerd.start();
    const endDockerd = async (): Promise<void> => (await dockerd)[Symbol.asyncDispose]();
    try {
      await Promise.all([dockerd, node.start()]);
      const engines = await TwoEngines.open(node, await dockerd);
      await body(engines);
      engines.assertSame();
      await Promise.all([TwoEngines.clear(node).then(() => node.down()), endDockerd()]);
    } catch (error) {
      await Promise.allSettled([TwoEngines.clear(node), endDockerd()]); // or its containers would run on; the first error is the one to tell
      throw new Error(`${messageOf(error)}\nthe daemon's log:\n${node.log}`, { cause: error });
    } finally {
      await node.destroy();
    }
  };
}

function engineAt(name: Engine['name'], host: string): Engine {
  return { name, host, docker: (...args) => runDocker(host, args), with: (options, ...args) => runDocker(host, args, options) };
}

function alike({ code, stdout, stderr }: CommandResult, engine: Engine, { also = (text) => text, anyOrder = false, codeOnly = false }: CompareOptions): unknown {
  if (codeOnly) return { code };
  const plain = (text: string): string[] => {
    const lines = also(normalised(text), engine).split('\n');
    return anyOrder ? lines.toSorted() : lines;
  };
  return { code, stdout: plain(stdout), stderr: plain(stderr) };
}

/** Without what is never the same twice. */
export function normalised(text: string): string {
  return text
    .replace(/\b[0-9a-f]{64}\b/g, '<id>')
    .replace(/\b(?=[0-9a-f]*[0-9])[0-9a-f]{12}\b/g, '<short id>')
    .replace(/\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?( ?[+-]\d{4} UTC|Z|[+-]\d\d:\d\d)?/g, '<time>')
    .replace(/(Less than a second|About a minute|\d+ (seconds?|minutes?))( ago)?/g, '<span>')
    .replace(/\b10\.21[01]\./g, `10.${OCTET}.`)
    .replace(/[ \t]+/g, ' ')
    .replace(/ $/gm, '');
}

/** A root file system of the machine's static busybox. */
async function busyboxArchive(): Promise<Buffer> {
  const folder = await mkdtemp(join(tmpdir(), 'mooring-busybox-'));
  try {
    for (const name of ['bin', 'etc', 'tmp', 'root', 'dev', 'proc', 'sys']) await mkdir(join(folder, name));
    await cp('/bin/busybox', join(folder, 'bin/busybox'));
    for (const applet of ['sh', 'true', 'false', 'sleep', 'echo', 'cat', 'ls', 'touch', 'id', 'env', 'pwd', 'stat', 'kill', 'md5sum', 'wc', 'head', 'seq', 'dd', 'hostname', 'stty', 'tty', 'mkdir', 'rm', 'ln', 'ps', 'nc', 'grep', 'test', 'printf', 'df', 'mount', 'ulimit', 'top']) await symlink('busybox', join(folder, 'bin', applet));
    const tar = spawn('tar', ['-C', folder, '--owner=0', '--group=0', '-c', '.'], { stdio: ['ignore', 'pipe', 'inherit'] });
    return await buffer(tar.stdout);
  } finally {
    await rm(folder, { recursive: true });
  }
}
