import { randomBytes } from 'node:crypto';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Duplex } from 'node:stream';

import { errnoOf, messageOf, MooringError } from '../../lib/errors.ts';
import { exists } from '../../lib/exists.ts';
import type { Logger } from '../../lib/logger.ts';
import type { Native, ProcessIdentity, ProcessWatch } from '../../native/native.ts';
import type { ExecRequest, ExecResult, ExitRecord } from '../engine.ts';
import { connectAttach } from './attach-connection.ts';
import type { ContainerPaths } from './container-paths.ts';
import { execProcess } from './exec-process.ts';
import type { ManagedContainer } from './managed-container.ts';
import { parseExit } from './monitor-files.ts';
import { parseRuntimeConfig } from './runtime-spec.ts';

const SIGKILL = 9;
const ID = /^[0-9a-f]{32}$/;

/** Processes that were added to running containers. Each has a folder beside its container's state for as long as it runs. */
export class ContainerExecs {
  readonly #native: Native;
  readonly #runtimePath: string;
  readonly #logger: Logger;
  readonly #watches = new Set<ProcessWatch>();
  /** Of those that this daemon started, while they run. */
  readonly #processes = new Map<string, ProcessIdentity>();

  constructor({ native, runtimePath, logger }: { readonly native: Native; readonly runtimePath: string; readonly logger: Logger }) {
    this.#native = native;
    this.#runtimePath = runtimePath;
    this.#logger = logger;
  }

  async start({ record, paths }: ManagedContainer, init: ProcessIdentity, request: ExecRequest, onEnd: (exit: ExitRecord | undefined) => void = () => {}): Promise<ExecResult> {
    const config = parseRuntimeConfig(await readFile(paths.config, 'utf8'));
    const process = await execProcess(config, request, record.container.spec.supplementalGroups);
    const id = randomBytes(16).toString('hex');
    const folder = path.join(paths.execs, id);
    await mkdir(folder, { recursive: true, mode: 0o700 });
    try {
      await writeFile(path.join(folder, 'process.json'), JSON.stringify(process), { mode: 0o600 });
      const stdin = request.stdin === true ? 'once' : 'none';
      const outcome = await this.#native.startExec({ runtime: this.#runtimePath, container: record.id, bundle: paths.bundle, init, stateDir: folder, stdin, detached: request.detach ?? false });
      if ('exitCode' in outcome) {
        await rm(folder, { recursive: true });
        return outcome;
      }
      this.#processes.set(id, outcome.init);
      this.#removeAfter(outcome.monitor, folder, onEnd);
      return { id, pid: outcome.init.pid };
    } catch (error) {
      await rm(folder, { recursive: true, force: true });
      throw error;
    }
  }

  async attach({ record, paths }: ManagedContainer, id: string): Promise<Duplex> {
    const connection = ID.test(id) ? await connectAttach(path.join(paths.execs, id, 'attach.sock')) : undefined;
    if (!connection) throw new MooringError('NotFound', `container ${record.name} runs no added process ${id}`);
    return connection;
  }

  kill(id: string): void {
    const process = this.#processes.get(id);
    const watch = process && this.#native.watchProcess(process, () => {});
    watch?.signal(SIGKILL);
    watch?.close();
  }

  /** Ids of those that run: whose monitor serves clients. */
  async list({ paths }: ManagedContainer): Promise<string[]> {
    const folders = await foldersOf(paths);
    const alive = await Promise.all(folders.map((folder) => exists(path.join(folder, 'attach.sock'))));
    return folders.filter((_, index) => alive[index]).map((folder) => path.basename(folder));
  }

  /** Removes the folders of those that have ended while no daemon looked. */
  async collect({ paths }: ManagedContainer): Promise<void> {
    for (const folder of await foldersOf(paths)) {
      if (!(await readdir(folder)).includes('attach.sock')) await rm(folder, { recursive: true });
    }
  }

  close(): void {
    for (const watch of this.#watches) watch.close();
    this.#watches.clear();
  }

  #removeAfter(monitor: ProcessIdentity, folder: string, onEnd: (exit: ExitRecord | undefined) => void): void {
    const remove = (): void => {
      if (watch) this.#watches.delete(watch);
      this.#processes.delete(path.basename(folder));
      void this.#bury(folder).then(onEnd);
    };
    const watch = this.#native.watchProcess(monitor, remove);
    if (watch) this.#watches.add(watch);
    else remove(); // it has ended already
  }

  /** Removes what an ended process has left, and gives back how it ended. */
  async #bury(folder: string): Promise<ExitRecord | undefined> {
    const end = await readFile(path.join(folder, 'exit.json'), 'utf8').then(parseExit, () => undefined); // a monitor that was killed has left none
    await rm(folder, { recursive: true, force: true }).catch((error: unknown) => this.#logger.warn({ folder, error: messageOf(error) }, 'remove what an ended process has left'));
    return end;
  }
}

async function foldersOf({ execs }: Pick<ContainerPaths, 'execs'>): Promise<string[]> {
  try {
    return (await readdir(execs)).map((id) => path.join(execs, id));
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return [];
    throw error;
  }
}
