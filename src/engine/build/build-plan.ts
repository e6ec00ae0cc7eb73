import { MooringError } from '../../lib/errors.ts';
import { listed, nearest, quoted } from '../../lib/text.ts';
import type { Platform } from '../images/oci-image.ts';
import type { Dockerfile } from './dockerfile.ts';
import { expandWord } from './expand.ts';
import type { Instruction } from './instruction.ts';
import { parseMount } from './mount-option.ts';
import { platformArguments, readArguments } from './variables.ts';
import { blankWords, quotedWords } from './words.ts';

export type StageBase = { readonly kind: 'scratch' } | { readonly kind: 'stage'; readonly index: number } | { readonly kind: 'image'; readonly reference: string };

/** One FROM and what stands below it. */
export interface Stage {
  readonly index: number;
  readonly name: string | undefined;
  readonly base: StageBase;
  /** As `--platform` asks for it. */
  readonly platform: string | undefined;
  readonly from: Instruction;
  readonly instructions: readonly Instruction[];
}

export interface BuildPlan {
  readonly dockerfile: Dockerfile;
  /** Values of the ARGs before the first FROM, which a stage's ARG of the same name takes up. */
  readonly globalArguments: ReadonlyMap<string, string>;
  readonly stages: readonly Stage[];
  readonly target: Stage;
}

export interface PlanOptions {
  readonly buildArguments: ReadonlyMap<string, string>;
  readonly target: string | undefined;
  readonly buildPlatform: Platform;
  readonly targetPlatform: Platform;
}

/** The stages of a Dockerfile, and which one is wanted. Throws `Invalid` with the place. */
export function planBuild(dockerfile: Dockerfile, options: PlanOptions): BuildPlan {
  const { instructions } = dockerfile;
  const firstFrom = instructions.findIndex(({ keyword }) => keyword === 'FROM');
  const head = firstFrom < 0 ? instructions : instructions.slice(0, firstFrom);
  const stray = head.find(({ keyword }) => keyword !== 'ARG');
  if (stray) throw new MooringError('Invalid', `${stray.keyword} stands before the first FROM, where only ARG may`, { at: stray.at });
  if (firstFrom < 0) throw new MooringError('Invalid', `${dockerfile.file} has no FROM`, { at: `${dockerfile.file}:1:1` });
  const globals = globalArguments(head, dockerfile.escape, options);
  const stages: Stage[] = [];
  for (let start = firstFrom; start < instructions.length; ) {
    const next = instructions.findIndex(({ keyword }, index) => index > start && keyword === 'FROM');
    const end = next < 0 ? instructions.length : next;
    const from = instructions[start];
    if (from) stages.push(readStage(from, instructions.slice(start + 1, end), stages, (word) => expandWord(word, { escape: dockerfile.escape, lookup: (name) => globals.get(name) })));
    start = end;
  }
  return { dockerfile, globalArguments: globals, stages, target: targetOf(stages, options.target) };
}

/** The stage that a name or an index means, of those before `before`. */
export function findStage(stages: readonly Stage[], text: string, before: number = stages.length): Stage | undefined {
  const earlier = stages.slice(0, before);
  return earlier.findLast(({ name }) => name === text.toLowerCase()) ?? (/^[0-9]+$/.test(text) ? earlier[Number(text)] : undefined);
}

/** What COPY and ADD take with `--from`, and RUN with a mount's `from`: an earlier stage, or an image. */
export function sourceStages(instruction: Instruction): string[] {
  return instruction.flags.flatMap(({ name, value = '' }) => {
    if (name === 'from') return [value];
    const from = name === 'mount' ? parseMount(value, instruction.at).from : undefined;
    return from === undefined ? [] : [from];
  });
}

function globalArguments(head: readonly Instruction[], escape: string, { buildArguments, buildPlatform, targetPlatform }: PlanOptions): ReadonlyMap<string, string> {
  const found = new Map(platformArguments(buildPlatform, targetPlatform));
  for (const instruction of head) {
    at(instruction, () => {
      const expand = (word: string): string => expandWord(word, { escape, lookup: (name) => found.get(name) });
      for (const [name, value] of readArguments(quotedWords(instruction.text, escape), expand)) {
        const given = buildArguments.get(name) ?? value;
        if (given !== undefined) found.set(name, given);
      }
    });
  }
  return found;
}

function readStage(from: Instruction, instructions: readonly Instruction[], stages: readonly Stage[], expand: (word: string) => string): Stage {
  return at(from, () => {
    const words = blankWords(from.text);
    const [image = '', as, alias] = words;
    const unknown = from.flags.find(({ name }) => name !== 'platform');
    if (unknown) throw new MooringError('Invalid', `FROM has no flag --${unknown.name}`);
    if (words.length !== 1 && (words.length !== 3 || as?.toUpperCase() !== 'AS')) throw new MooringError('Invalid', 'FROM takes an image, and a name for the stage behind AS', { fix: 'write FROM image AS name' });
    const name = alias?.toLowerCase();
    if (name !== undefined && !/^[a-z][a-z0-9_.-]*$/.test(name)) throw new MooringError('Invalid', `${quoted(alias ?? '')} is no name for a stage`, { fix: 'begin it with a letter; letters, digits, "-", "_" and "." may follow' });
    if (name === 'scratch' || name === 'context') throw new MooringError('Invalid', `${quoted(name)} is reserved`);
    const reference = expand(image);
    if (reference === '') throw new MooringError('Invalid', `FROM ${image} names no image once it is expanded`, { fix: 'give the ARG a default, or --build-arg' });
    const platform = from.flags.find((flag) => flag.name === 'platform')?.value;
    return { index: stages.length, name, base: baseOf(reference, stages), platform: platform === undefined ? undefined : expand(platform), from, instructions };
  });
}

function baseOf(reference: string, stages: readonly Stage[]): StageBase {
  if (reference === 'scratch') return { kind: 'scratch' };
  const stage = stages.findLast(({ name }) => name === reference.toLowerCase());
  return stage ? { kind: 'stage', index: stage.index } : { kind: 'image', reference };
}

function targetOf(stages: readonly Stage[], target: string | undefined): Stage {
  const last = stages.at(-1);
  const found = target === undefined ? last : findStage(stages, target);
  if (found) return found;
  const names = stages.flatMap(({ name }) => name ?? []);
  const meant = nearest(target ?? '', names);
  throw new MooringError('Invalid', `there is no stage ${quoted(target ?? '')}`, { fix: meant === undefined ? (names.length === 0 ? 'give a stage a name with FROM … AS' : `there are ${listed(names)}`) : `did you mean ${meant}?` });
}

/** Runs work on an instruction; a failure that has no place gets the instruction's. */
export function at<T>(instruction: Instruction, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw placed(error, instruction);
  }
}

export function placed(error: unknown, instruction: Pick<Instruction, 'at'>): unknown {
  if (!(error instanceof MooringError) || error.at !== undefined) return error;
  return new MooringError(error.code, error.message, { at: instruction.at, ...(error.fix !== undefined && { fix: error.fix }), ...(error.cause !== undefined && { cause: error.cause }) });
}
