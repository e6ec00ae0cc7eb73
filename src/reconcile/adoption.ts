import type { ObservedContainer } from '../engine/engine.ts';
import type { Clock } from '../lib/clock.ts';
import { MooringError } from '../lib/errors.ts';
import type { Logger } from '../lib/logger.ts';
import { Semaphore } from '../lib/semaphore.ts';
import type { ContainerName } from '../spec/name.ts';
import { withDeadline } from './deadline.ts';
import type { DesiredContainer } from './desired.ts';
import type { Roster } from './roster.ts';
import { describeSpan } from './words.ts';

export interface AdoptionOptions {
  /** What is on record. */
  readonly names: readonly ContainerName[];
  readonly roster: Pick<Roster, 'ensure' | 'refresh'>;
  readonly observe: (name: ContainerName) => Promise<ObservedContainer | undefined>;
  readonly desiredOf: (name: ContainerName) => DesiredContainer | undefined;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Containers looked at, at once. */
  readonly concurrency: number;
}

/** Longer than looking at a thousand containers takes; one that can't be looked at must not keep a daemon from serving the others. Milliseconds. */
const PATIENCE = 5_000;

/**
 * Looks at everything that is on record, so that it is told as it is before its turn in the queue comes, which may be behind others' starts. Nothing is
 * decided from it. Settles within five seconds; what could not be looked at until then is told of by its own turn.
 */
export async function adopt({ names, roster, observe, desiredOf, clock, logger, concurrency }: AdoptionOptions): Promise<void> {
  const places = new Semaphore(concurrency);
  const missing = new Set(names);
  let isOver = false;
  const meet = async (name: ContainerName): Promise<void> => {
    const observed = await observe(name);
    if (isOver) return;
    missing.delete(name);
    if (observed === undefined) return;
    const dossier = roster.ensure(name);
    dossier.situation ??= { desired: desiredOf(name), observed, facts: dossier.facts, now: clock.now() };
    roster.refresh(name);
  };
  const met = Promise.allSettled(names.map((name) => places.run(() => meet(name))));
  try {
    await withDeadline(met, PATIENCE, clock, () => new MooringError('Unavailable', `not every container could be looked at in ${describeSpan(PATIENCE)}`));
  } catch (error) {
    logger.warn({ err: error, containers: [...missing] }, 'goes on without them for now');
  }
  isOver = true;
}
