import type { ObservedContainer } from '../engine/engine.ts';
import type { ContainerName } from '../spec/name.ts';
import { account } from './account.ts';
import { describeAsked } from './asked.ts';
import type { DesiredContainer } from './desired.ts';
import { driftPolicyOf } from './drift.ts';
import { pauseDrift } from './pause.ts';
import { plan, type Step } from './plan.ts';
import type { Situation } from './situation.ts';
import { describeExit, instant } from './words.ts';

/** Why a container is as it is: what was wanted, what was seen, what comes next. */
export interface Explanation {
  readonly name: ContainerName;
  readonly desired: string;
  readonly observed: string;
  readonly next: Step;
  readonly machineState: string;
}

export function explain(name: ContainerName, situation: Situation, machineState: string): Explanation {
  const { facts } = account(situation);
  return {
    name,
    desired: `${describeDesired(situation.desired)}${describeAsked(facts)}`,
    observed: describeObserved(situation),
    next: plan({ ...situation, facts }),
    machineState,
  };
}

function describeDesired(desired: DesiredContainer | undefined): string {
  if (desired === undefined) return 'nothing: no source wants it';
  const { spec } = desired.container;
  const wish = spec.suspend ? 'suspended' : `${spec.pause ? 'paused' : 'running'}, restartPolicy ${spec.restartPolicy}`;
  return `${spec.image}, ${wish}; generation ${desired.generation} from source ${desired.origin.source} (${desired.origin.location})`;
}

function describeObserved({ desired, observed, facts }: Situation): string {
  if (observed === undefined) return 'nothing: there is no such container';
  const found = [...observed.drift, ...(desired === undefined ? [] : pauseDrift(desired, observed, facts))];
  const told = found.map(({ kind, message }) => {
    const policy = desired === undefined ? 'Correct' : driftPolicyOf(desired.container.spec, kind);
    return policy === 'Correct' ? message : `${message} (${policy === 'Report' ? 'only reported' : 'ignored'}, by spec.drift)`;
  });
  const drift = told.length === 0 ? '' : `; drift: ${told.join('; ')}`;
  return `container ${observed.id.slice(0, 12)}, ${describeProcess(observed)}${drift}`;
}

function describeProcess({ process, createdAt }: ObservedContainer): string {
  switch (process.state) {
    case 'None':
      return `created at ${instant(createdAt)}, no process started`;
    case 'Creating':
      return `being started by monitor ${process.monitor.pid}`;
    case 'Running':
      return `${process.frozen === true ? 'standing still' : 'running'} as pid ${process.init.pid} since ${instant(process.startedAt)}`;
    case 'Exited':
      return `ended with ${describeExit(process.exit)} at ${instant(process.exit.finishedAt)}`;
  }
}
