import { Semaphore } from '../../lib/semaphore.ts';
import { MooringError } from '../../lib/errors.ts';
import type { Native } from '../../native/native.ts';
import type { BuildEngine, BuildOptions, BuildRequest, BuildResult } from '../builds.ts';
import type { TransientContainers } from '../containers/transient.ts';
import type { ImageEngine } from '../images.ts';
import { takeNames } from '../images/naming.ts';
import { hostPlatform } from '../images/platform.ts';
import type { ImageRoom } from '../images/room.ts';
import { BuildCacheRecords } from '../store/build-cache-records.ts';
import type { Database } from '../store/database.ts';
import { baseImage } from './base-images.ts';
import { BuildCache, type BuildCachePruneOptions, type BuildCacheUsage } from './build-cache.ts';
import { loadContext } from './build-context.ts';
import { type BuildPlan, findStage, planBuild, sourceStages } from './build-plan.ts';
import { writeOutput } from './build-output.ts';
import { keepImage } from './build-result.ts';
import type { BuildSession, BuiltStage } from './build-session.ts';
import { CacheFolders } from './cache-folders.ts';
import { parseDockerfile } from './dockerfile.ts';
import { ContentDigests } from './layer-content.ts';
import { hostLine } from './host-line.ts';
import { Lint } from './lint.ts';
import { StageBuild } from './stage-build.ts';
import { PROXY_ARGUMENTS } from './variables.ts';

export interface BuildEngineOptions {
  readonly room: ImageRoom;
  readonly images: Pick<ImageEngine, 'pull'>;
  readonly native: Native;
  readonly transients: TransientContainers;
  readonly database: Database;
}

/** Steps of one build that work at a time. */
const CONCURRENCY = 4;

export class LocalBuildEngine implements BuildEngine {
  readonly #options: BuildEngineOptions;
  readonly #cacheFolders: CacheFolders;
  readonly #cache: BuildCache;
  readonly #digests = new ContentDigests();
  readonly #closing = new AbortController();
  /** Builds under way. */
  readonly #running = new Set<Promise<unknown>>();

  constructor(options: BuildEngineOptions) {
    this.#options = options;
    this.#cacheFolders = new CacheFolders(options.room.dataDir);
    this.#cache = new BuildCache(new BuildCacheRecords(options.database), options.room, this.#cacheFolders);
  }

  cacheUsage(): Promise<BuildCacheUsage> {
    return this.#cache.usage();
  }

  pruneCache(options: BuildCachePruneOptions): Promise<{ readonly steps: number; readonly bytes: number }> {
    return this.#cache.prune(options);
  }

  build(request: BuildRequest, options: BuildOptions): Promise<BuildResult> {
    const building = this.#build(request, { ...options, signal: AbortSignal.any([options.signal, this.#closing.signal]) });
    const ended: Promise<unknown> = building.catch(() => {}).finally(() => this.#running.delete(ended)); // its caller is told
    this.#running.add(ended);
    return building;
  }

  /** Ends what is under way, and settles once nothing of it is left. */
  async close(): Promise<void> {
    this.#closing.abort(new MooringError('Unavailable', 'the daemon stops', { fix: 'build again once it runs: the steps that were done are kept' }));
    await Promise.all(this.#running);
  }

  async #build(request: BuildRequest, { signal, onProgress, credentials }: BuildOptions): Promise<BuildResult> {
    const { room, native } = this.#options;
    await using resources = new AsyncDisposableStack();
    const held = resources.use(room.pins.open());
    const failing = new AbortController();
    const either = AbortSignal.any([signal, failing.signal]);
    const { context, dockerfile: text } = await loadContext(room, native, request.context, request.dockerfile, resources, either);
    const dockerfile = parseDockerfile(text.content, text.name);
    const buildPlatform = hostPlatform();
    const targetPlatform = request.platform ?? buildPlatform;
    const plan = planBuild(dockerfile, { buildArguments: request.buildArguments, target: request.target, buildPlatform, targetPlatform });
    new Lint(plan, onProgress).run();
    const latest = epochOf(request.buildArguments);
    const stages = new Map<number, Promise<BuiltStage>>();
    const images = new Map<string, Promise<BuiltStage>>();
    let id = 0;
    const session: BuildSession = {
      ...this.#options,
      ...request,
      cache: this.#cache,
      cacheFolders: this.#cacheFolders,
      digests: this.#digests,
      plan,
      context,
      buildPlatform,
      targetPlatform,
      hosts: request.addHosts.map(hostLine),
      times: { now: latest ?? Math.floor(Date.now() / 1000), latest },
      held,
      slots: new Semaphore(CONCURRENCY),
      signal: either,
      report: onProgress,
      nextId: () => ++id,
      stage: (index) => once(stages, index, () => buildStage(session, index)),
      image: (reference, platform, stepId) =>
        once(images, `${reference} ${platform.os}/${platform.architecture}/${platform.variant ?? ''}`, () =>
          baseImage(reference, platform, { ...this.#options, pull: request.pull, held, signal: either, credentials, onProgress: (detail) => onProgress({ type: 'DETAIL', id: stepId, text: detail }) }),
        ),
    };
    const built = await buildAll(session, failing, signal);
    this.#warnOfUnused(request, plan, onProgress);
    return await this.#keep(session, built, request);
  }

  async #keep(session: BuildSession, built: BuiltStage, request: BuildRequest): Promise<BuildResult> {
    const { room } = this.#options;
    // An archive of an image is made by its name.
    const isNamed = request.tags.length > 0 || request.outputs.length === 0;
    const { records, ...result } = await keepImage(room, built, isNamed ? request : { ...request, outputs: [] }, session.held);
    const [record] = records;
    try {
      for (const output of request.outputs) if (record) await writeOutput(session, built, record, output);
    } finally {
      if (!isNamed) await takeNames(room, records);
    }
    return isNamed ? result : { ...result, names: [] };
  }

  #warnOfUnused({ buildArguments }: BuildRequest, { dockerfile }: BuildPlan, onProgress: BuildOptions['onProgress']): void {
    const declared = new Set(dockerfile.instructions.filter(({ keyword }) => keyword === 'ARG').flatMap(({ text }) => text.split(/\s+/).map((word) => word.split('=')[0] ?? '')));
    const unused = [...buildArguments.keys()].filter((name) => !declared.has(name) && !PROXY_ARGUMENTS.includes(name) && name !== 'SOURCE_DATE_EPOCH');
    if (unused.length > 0) onProgress({ type: 'WARNING', rule: 'UnusedBuildArg', message: `no ARG takes up ${unused.join(', ')}`, at: `${dockerfile.file}:1:1` });
  }
}

/** Builds the target with all that it needs at once. The first failure ends the others, and all are waited for. */
async function buildAll(session: BuildSession, failing: AbortController, signal: AbortSignal): Promise<BuiltStage> {
  const { plan } = session;
  let failure: { readonly error: unknown } | undefined;
  const work = [...neededStages(plan)].map((index) =>
    session.stage(index).catch((error: unknown) => {
      failure ??= { error };
      failing.abort();
    }),
  );
  await Promise.all(work);
  signal.throwIfAborted();
  if (failure) throw failure.error;
  return session.stage(plan.target.index);
}

/** The target, and every stage that it takes something from. */
function neededStages({ stages, target }: BuildPlan): ReadonlySet<number> {
  const needed = new Set<number>();
  const visit = (index: number): void => {
    const stage = stages[index];
    if (!stage || needed.has(index)) return;
    needed.add(index);
    if (stage.base.kind === 'stage') visit(stage.base.index);
    for (const from of stage.instructions.flatMap(sourceStages)) {
      const found = findStage(stages, from, index);
      if (found) visit(found.index);
    }
  };
  visit(target.index);
  return needed;
}

async function buildStage(session: BuildSession, index: number): Promise<BuiltStage> {
  const stage = session.plan.stages[index];
  if (!stage) throw new MooringError('Internal', `there is no stage ${index}`);
  return new StageBuild(session, stage).run();
}

function once<Key, Value>(known: Map<Key, Promise<Value>>, key: Key, work: () => Promise<Value>): Promise<Value> {
  const there = known.get(key);
  if (there) return there;
  const begun = work();
  begun.catch(() => {}); // told to each who waits for it
  known.set(key, begun);
  return begun;
}

/** Seconds since the epoch (https://reproducible-builds.org/specs/source-date-epoch/). */
function epochOf(buildArguments: ReadonlyMap<string, string>): number | undefined {
  const text = buildArguments.get('SOURCE_DATE_EPOCH');
  if (text === undefined || text === '') return undefined;
  if (!/^[0-9]{1,11}$/.test(text)) throw new MooringError('Invalid', `SOURCE_DATE_EPOCH is "${text}", and must be a number of seconds`);
  return Number(text);
}
