import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Clock, TimerHandle } from '../../lib/clock.ts';
import { errnoOf, messageOf } from '../../lib/errors.ts';
import type { Logger } from '../../lib/logger.ts';
import type { DesiredStore } from '../../reconcile/desired.ts';
import { keyText } from '../../reconcile/desired-store.ts';
import type { EventLog } from '../../reconcile/events.ts';
import type { SpecProblem } from '../../spec/problem.ts';
import { merge } from './merge.ts';
import { ProblemJournal } from './problem-journal.ts';
import { readTree, type ReadingCache } from './read-tree.ts';
import { Schedule } from './schedule.ts';
import { treeProblem } from './tree-problem.ts';
import { TreeWatch } from './tree-watch.ts';

export interface DirectorySourceOptions {
  /** The specs folder. It need not exist yet, and may be a link, or lie behind one. */
  readonly dir: string;
  readonly desired: DesiredStore;
  readonly events: EventLog;
  readonly clock: Clock;
  readonly logger: Logger;
  /** After each change of the standing problems: all of them, and those that are new. */
  readonly onProblems?: (standing: readonly SpecProblem[], appeared: readonly SpecProblem[]) => void;
  /** How often the tree is read though no event asked for it, milliseconds; 60,000 by default, ±10 %. */
  readonly rescanIntervalMs?: number;
}

export interface DirectorySource {
  start(): void;
  /** Settles when nothing is watched or read any more. What is desired stays. */
  stop(): Promise<void>;
  /** What stands in the way now. */
  problems(): SpecProblem[];
  /** Settles when the folder was read for the first time, or was found missing. */
  readonly ready: Promise<void>;
  /** Reads the folder now; settles when what it says is desired. */
  rescan(): Promise<void>;
}

/** A writer that paused this long has finished; so quietly must a file, and the folder, lie before they are believed. */
const SETTLE_MS = 30;
/** Settled files are not kept waiting longer than this by others that go on changing. */
const MAX_DELAY_MS = 80;
/** Longest pause before reading again a tree that changes each time it is read. */
const MAX_RETRY_MS = 5_000;
/** So many readings of a tree that never stands still count as the first one. */
const READY_AFTER_RACES = 5;

/** Keeps the desired state of source `directory` what the files of a folder say. Events only hasten it; a slow rescan finds what they miss. */
export function createDirectorySource(options: DirectorySourceOptions): DirectorySource {
  const { desired, clock, logger, rescanIntervalMs = 60_000 } = options;
  const dir = resolve(options.dir);
  const journal = new ProblemJournal(options.events, options.onProblems ?? (() => {}));
  const schedule = new Schedule({ clock, quietMs: SETTLE_MS, maxMs: MAX_DELAY_MS, run: scan });
  const watch = new TreeWatch(dir, () => schedule.touch());
  const ready = Promise.withResolvers<void>();
  let cache: ReadingCache = new Map();
  /** Names that the tree does not declare any more, though they still stand, and since when. */
  let absentSince: ReadonlyMap<string, number> = new Map();
  let device: bigint | undefined;
  let racesInARow = 0;
  /** Names that other sources hold: free one day. */
  let contested = new Set<string>();
  let rescanTimer: TimerHandle | undefined;
  let retryTimer: TimerHandle | undefined;
  let unsubscribe: (() => void) | undefined;

  async function scan(quiet: boolean): Promise<void> {
    try {
      const watched = watch.watching;
      const root = await watch.aim();
      if (root === undefined) missing();
      else await scanRoot(root, quiet && watched);
    } catch (error) {
      if (errnoOf(error) === 'ENOENT') return missing();
      logger.error({ err: error, dir }, 'the specs folder could not be taken over');
      unavailable(`the specs folder ${dir} could not be taken over: ${messageOf(error)}`, 'it is tried again');
      retry();
    }
  }

  async function scanRoot(root: string, quiet: boolean): Promise<void> {
    const folder = await stat(root, { bigint: true });
    if (!folder.isDirectory()) return unavailable(`the specs folder ${dir} is no folder`, 'put a folder in its place');
    const result = await readTree({ dir, real: root }, cache, clock, SETTLE_MS);
    cache = result.cache;
    const { tree } = result;
    const previous = desired.listSource('directory');
    if (tree.files.size === 0 && previous.length > 0 && device !== undefined && device !== folder.dev)
      return unavailable(`the specs folder ${dir} is empty and on another filesystem than before`, 'mount it again; if it is meant to be empty, restart the daemon');
    if (tree.complete) device = folder.dev;

    // A file on its way from one name to another, or being replaced, is missing for a moment:
    // only a folder that was seen to lie still, or a second look, makes sure that it has gone.
    const settled = quiet && !schedule.pending;
    const now = clock.now();
    const merged = merge(previous, tree, (key) => settled || now - (absentSince.get(key) ?? now) >= SETTLE_MS);
    absentSince = new Map([...merged.absent].map((key) => [key, absentSince.get(key) ?? now]));
    const rejected = desired.replaceSource('directory', merged.declared);
    contested = new Set(rejected.flatMap(({ kind, name }) => (kind === undefined || name === undefined ? [] : [keyText({ kind, name })])));
    journal.update([...watchProblems(), ...merged.problems, ...rejected]);
    const unsure = !settled && [...absentSince.values()].some((since) => now - since < SETTLE_MS);
    if (watch.follow(tree.linked) || unsure) schedule.touch();
    if (tree.raced) retry();
    else racesInARow = 0;
    if ((!tree.raced && !unsure) || racesInARow >= READY_AFTER_RACES) ready.resolve();
  }

  function retry(): void {
    const delay = Math.min(SETTLE_MS * 2 ** racesInARow, MAX_RETRY_MS);
    racesInARow += 1;
    if (retryTimer !== undefined) clock.clearTimeout(retryTimer);
    retryTimer = clock.setTimeout(() => schedule.touch(), delay);
  }

  function missing(): void {
    unavailable(`the specs folder ${dir} does not exist`, 'create it');
  }

  /** The folder as a whole says nothing now: everything stays as it was, what was wrong with files too. */
  function unavailable(message: string, fix: string): void {
    const files = journal.standing.filter(({ file }) => file !== '.');
    journal.update([treeProblem('.', message, `${fix}; until then everything stays as it was`), ...watchProblems(), ...files]);
    ready.resolve();
  }

  function watchProblems(): SpecProblem[] {
    if (watch.error === undefined) return [];
    return [
      treeProblem(
        '.',
        `changes in the specs folder are found by rescans only, watching it fails: ${messageOf(watch.error)}`,
        'raise fs.inotify.max_user_watches or max_user_instances',
      ),
    ];
  }

  function armRescan(): void {
    rescanTimer = clock.setTimeout(
      () => {
        if (watch.error !== undefined) watch.renew();
        schedule.touch();
        armRescan();
      },
      rescanIntervalMs * (0.9 + 0.2 * Math.random()),
    );
  }

  return {
    start() {
      unsubscribe = desired.subscribe((changed) => {
        if (changed.some((key) => contested.has(keyText(key)))) schedule.touch();
      });
      schedule.touch();
      armRescan();
    },
    async stop() {
      unsubscribe?.();
      await schedule.stop();
      for (const timer of [rescanTimer, retryTimer]) if (timer !== undefined) clock.clearTimeout(timer);
      await watch.close();
    },
    problems: () => journal.standing,
    ready: ready.promise,
    rescan: () => schedule.flush(),
  };
}
