import { MooringError } from '../../lib/errors.ts';
import { formatPlatform, parsePlatform } from '../images/platform.ts';
import type { ImageHistory, Platform } from '../images/oci-image.ts';
import type { StoredLayer } from '../images/stored-image.ts';
import { layerFolders, topOf, treeOf, type BuildSession, type BuiltStage } from './build-session.ts';
import { BuildCache } from './build-cache.ts';
import { findStage, placed, sourceStages, type Stage } from './build-plan.ts';
import { foldersTo } from './copy-plan.ts';
import { copyStep } from './copy-step.ts';
import { parseTrigger } from './dockerfile.ts';
import { expandWord } from './expand.ts';
import { cleanPath, resolveIn } from './file-tree.ts';
import type { Instruction } from './instruction.ts';
import { layerContent } from './layer-content.ts';
import { newLayer } from './new-layer.ts';
import { ownerOf } from './owner.ts';
import type { BuildStep } from './progress.ts';
import { CommandFailed, runStep } from './run-step.ts';
import { StageConfig } from './stage-config.ts';
import { platformArguments, readArguments, StageVariables } from './variables.ts';
import { quotedWords } from './words.ts';

/** One layer of a step, made now or found in the cache. */
export interface StepLayer {
  readonly layer: StoredLayer;
  readonly createdAt: number;
  readonly cached: boolean;
}

/** What a step has done to its stage. */
export interface StepResult {
  /** What history says of it. */
  readonly text: string;
  readonly made?: StepLayer | undefined;
}

const COMMENT = 'mooring build';
/** What every builder gives an image that starts from nothing. */
const SCRATCH_ENVIRONMENT = ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'];

/** Builds one stage, instruction by instruction. Failures bear the instruction's place. */
export class StageBuild {
  readonly session: BuildSession;
  readonly stage: Stage;
  readonly #layers: StoredLayer[] = [];
  readonly #history: ImageHistory[] = [];
  #config: StageConfig;
  #platform: Platform;
  #createdAt = 0;
  /** Of the step under way. */
  #wasCached = false;
  #at = '';

  constructor(session: BuildSession, stage: Stage) {
    this.session = session;
    this.stage = stage;
    this.#platform = session.targetPlatform;
    this.#config = new StageConfig({}, new StageVariables(SCRATCH_ENVIRONMENT), session.plan.dockerfile.escape);
  }

  get layers(): readonly StoredLayer[] {
    return this.#layers;
  }

  get config(): StageConfig {
    return this.#config;
  }

  get platform(): Platform {
    return this.#platform;
  }

  /** `expand` for the instruction that is under way. */
  readonly expand = (word: string): string => expandWord(word, { escape: this.#config.escape, lookup: this.#config.variables.lookup, onUnset: (name) => this.#warnOfUnset(name) });

  async run(): Promise<BuiltStage> {
    const triggers = await this.#step(this.stage.from, (id) => this.#begin(id));
    for (const instruction of [...triggers, ...this.stage.instructions]) await this.#step(instruction, (id) => this.#apply(instruction, id));
    return { layers: this.#layers, config: this.#config.result(), history: this.#history, platform: this.#platform, author: this.#config.author, createdAt: this.#createdAt };
  }

  /** A layer from the cache, by all that it depends on beside the layers below, or made now. */
  async layer(parts: readonly unknown[], description: string, make: () => Promise<StoredLayer>): Promise<StepLayer> {
    const { cache, held, noCache, times } = this.session;
    const key = BuildCache.key([topOf(this.#layers) ?? null, times.latest ?? null, ...parts]);
    const found = noCache ? undefined : await cache.take(key, held);
    if (found) return { ...found, cached: true };
    const layer = await make();
    const createdAt = times.latest === undefined ? Date.now() : times.latest * 1000;
    cache.put(key, layer, description, createdAt);
    return { layer, createdAt, cached: false };
  }

  /** Waits for the stages that an instruction takes something from. To be called before a slot is taken. */
  async sourcesOf(instruction: Instruction): Promise<void> {
    const { plan, stage } = this.session;
    for (const from of sourceStages(instruction)) {
      const found = findStage(plan.stages, from, this.stage.index);
      if (found) await stage(found.index);
    }
  }

  async #step<T>(instruction: Instruction, work: (id: number) => Promise<T>): Promise<T> {
    const { report, signal, nextId } = this.session;
    const id = nextId();
    const step = { type: 'STEP', id, stage: this.stage.name ?? String(this.stage.index), text: instruction.source, at: instruction.at, ...this.#placeOf(instruction) } as const;
    signal.throwIfAborted();
    report({ ...step, state: 'Started' });
    const began = performance.now();
    this.#wasCached = false;
    this.#at = instruction.at;
    try {
      const result = await work(id);
      report({ ...step, state: this.#wasCached ? 'Cached' : 'Done', seconds: (performance.now() - began) / 1000 });
      return result;
    } catch (error) {
      report({ ...step, state: 'Failed', seconds: (performance.now() - began) / 1000, ...(error instanceof CommandFailed && { exitCode: error.status }) });
      throw placed(error, instruction);
    }
  }

  #placeOf(instruction: Instruction): Pick<BuildStep, 'place'> {
    const { dockerfile, target } = this.session.plan;
    const index = dockerfile.instructions.indexOf(instruction);
    const last = dockerfile.instructions.indexOf(target.instructions.at(-1) ?? target.from);
    return index < 0 ? {} : { place: { number: index + 1, count: last + 1 } };
  }

  #warnOfUnset(name: string): void {
    const { skip } = this.session.plan.dockerfile.check;
    if (this.#config.variables.declared.has(name) || skip.has('UndefinedVar') || skip.has('all')) return;
    this.session.report({ type: 'WARNING', rule: 'UndefinedVar', message: `${name} is neither an ARG nor an ENV here, and so is empty`, at: this.#at });
  }

  /** The base, and the triggers that its image has for builds like this. */
  async #begin(id: number): Promise<Instruction[]> {
    const { stage, session } = this;
    if (stage.platform !== undefined) this.#platform = parsePlatform(stage.platform);
    const base = await this.#base(id);
    if (!base) return [];
    this.#layers.push(...base.layers);
    this.#history.push(...base.history);
    this.#platform = base.platform;
    this.#createdAt = base.createdAt;
    this.#config = new StageConfig(base.config, new StageVariables(base.config.Env ?? []), session.plan.dockerfile.escape);
    this.#config.author = base.author;
    return (base.config.OnBuild ?? []).map((trigger) => parseTrigger(trigger, stage.from.at, this.#config.escape));
  }

  #base(id: number): Promise<BuiltStage> | undefined {
    const { base } = this.stage;
    if (base.kind === 'scratch') return undefined;
    return base.kind === 'stage' ? this.session.stage(base.index) : this.session.image(base.reference, this.#platform, id);
  }

  async #apply(instruction: Instruction, id: number): Promise<void> {
    const { text, made } = await this.#result(instruction, id);
    if (made) {
      this.#layers.push(made.layer);
      this.#createdAt = Math.max(this.#createdAt, made.createdAt);
      this.#wasCached = made.cached;
    }
    this.#history.push({ created: new Date(this.#createdAt).toISOString(), created_by: text, comment: COMMENT, ...(!made && { empty_layer: true }) });
  }

  async #result(instruction: Instruction, id: number): Promise<StepResult> {
    switch (instruction.keyword) {
      case 'ARG':
        return { text: `ARG ${this.#declare(instruction)}` };
      case 'WORKDIR':
        return this.#workingDir(this.expand(instruction.text));
      case 'COPY':
      case 'ADD':
        return copyStep(this, instruction, id);
      case 'RUN':
        return runStep(this, instruction, id);
      case 'FROM':
        throw new MooringError('Internal', 'FROM within a stage');
      default:
        return { text: this.#config.apply(instruction, this.expand) };
    }
  }

  #declare(instruction: Instruction): string {
    const { session, platform } = this;
    const { variables, escape } = this.#config;
    const automatic = platformArguments(session.buildPlatform, platform);
    const declared: string[] = [];
    for (const [name, value] of readArguments(quotedWords(instruction.text, escape), this.expand)) {
      const given = session.buildArguments.get(name) ?? automatic.get(name) ?? value ?? session.plan.globalArguments.get(name);
      variables.declare(name, given);
      declared.push(given === undefined ? name : `${name}=${given}`);
    }
    return declared.join(' ');
  }

  /** Sets it, and makes the folder where it is missing, for the user that is set by then. */
  async #workingDir(path: string): Promise<StepResult> {
    const { session } = this;
    if (path === '') throw new MooringError('Invalid', 'WORKDIR is empty once it is expanded');
    const absolute = `/${cleanPath(path.startsWith('/') ? path : `${this.#config.workingDir}/${path}`)}`;
    this.#config.setWorkingDir(absolute);
    const tree = treeOf(session, this.#layers);
    const resolved = await resolveIn(tree, absolute);
    const text = `WORKDIR ${absolute}`;
    if ((await tree.look(resolved)) !== undefined) return { text };
    const { user } = this.#config;
    const owner = user === '' ? { uid: 0, gid: 0 } : await ownerOf(user, layerFolders(session.room, this.#layers));
    const files = await foldersTo(tree, resolved, owner);
    const content = await layerContent(files, session.digests);
    const made = await this.layer(['WORKDIR', content.digest], text, () => newLayer(session.room, content, topOf(this.#layers), session.times, session.held, session.signal));
    return { text, made };
  }

  /** Throws `Unsupported` where programs of the stage's platform can't be run. */
  requireOwnPlatform(): void {
    const { buildPlatform } = this.session;
    if (buildPlatform.os === this.#platform.os && buildPlatform.architecture === this.#platform.architecture) return;
    throw new MooringError('Unsupported', `RUN needs programs of ${formatPlatform(this.#platform)}, and this node is ${formatPlatform(buildPlatform)}`, { fix: 'run in a stage FROM --platform=$BUILDPLATFORM and copy from it' });
  }
}
