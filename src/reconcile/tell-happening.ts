import type { ContainerName } from '../spec/name.ts';
import type { Happening } from './account.ts';
import type { EventLog } from './events.ts';
import type { ReconcileObserver } from './observer.ts';
import { describeExit, describeSpan } from './words.ts';

export interface HappeningRooms {
  readonly events: Pick<EventLog, 'record'>;
  readonly observer: Pick<ReconcileObserver, 'restarted' | 'driftDetected' | 'driftRepaired'>;
}

/** Tells of what accounting found out. */
export function tellHappening(name: ContainerName, happening: Happening, { events, observer }: HappeningRooms): void {
  const record = (type: 'Normal' | 'Warning', reason: string, message: string): void => events.record({ type, reason, message, name });
  switch (happening.kind) {
    case 'Exited': {
      const { exit, asked } = happening;
      record(asked || exit.exitCode === 0 ? 'Normal' : 'Warning', 'Exited', `ended with ${describeExit(exit)}${asked ? ', as asked' : ''}`);
      return;
    }
    case 'Restarting':
      observer.restarted(name);
      return;
    case 'BackOff':
      record('Warning', 'BackOff', `next start in ${describeSpan(happening.delay)}: it keeps ending, last with ${describeExit(happening.exit)}`);
      return;
    case 'DriftDetected': {
      const { drift, policy } = happening;
      observer.driftDetected(drift.kind);
      const left = policy === 'Report' ? '; only reported, by spec.drift' : '';
      record('Warning', 'DriftDetected', `${drift.kind}: ${drift.message}${left}${drift.who === undefined ? '' : `; by ${drift.who}`}`);
      return;
    }
    case 'DriftRepaired':
      observer.driftRepaired(happening.drift);
      record('Normal', 'DriftRepaired', `${happening.drift}: as wanted again`);
      return;
  }
}
