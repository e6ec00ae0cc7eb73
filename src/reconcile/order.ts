import type { Container } from '../spec/container.ts';
import type { Dependency } from '../spec/depends-on.ts';
import type { ContainerName } from '../spec/name.ts';
import type { DesiredContainer } from './desired.ts';
import type { Facts } from './facts.ts';
import type { Milestones } from './milestones.ts';
import type { UnmetNeed } from './needs.ts';
import { dependenciesOf } from '../spec/order-graph.ts';

/** The reason of a step that waits for a dependency which is on its way. */
export const WAITING_FOR_DEPENDENCY = 'WaitingForDependency';

/** How a container stands to those that it depends on, and to those that depend on it. */
export interface OrderSituation {
  /** Dependencies that are not as far as they must be for a start. */
  readonly awaited: readonly UnmetNeed[];
  /** The runs of those whose restart it follows (`restart: true`) and that are far enough now. */
  readonly runs: Readonly<Record<ContainerName, string>>;
  /** Containers that depend on it, go away as it does, and are to have stopped before it; and when that has taken too long. */
  readonly hold?: Hold;
}

export interface Hold {
  readonly names: readonly ContainerName[];
  /** Milliseconds since the epoch. */
  readonly until: number;
}

/** What is known of the containers that another one depends on. */
export interface DependencyRooms {
  readonly desired: (name: ContainerName) => DesiredContainer | undefined;
  readonly milestones: (name: ContainerName) => Milestones;
  /** Whether its condition `Ready` hangs on probes or a health check. */
  readonly isProbed: (name: ContainerName) => boolean;
}

/** How a container that is desired stands to those that it depends on. */
export function dependencySituation(container: Container, rooms: DependencyRooms): Pick<OrderSituation, 'awaited' | 'runs'> {
  const awaited: UnmetNeed[] = [];
  const runs: Record<ContainerName, string> = {};
  for (const { name, dependency } of dependenciesOf(container)) {
    const need = needFor(name, dependency, rooms);
    const { run } = rooms.milestones(name);
    if (need !== undefined && (dependency.required || need.isComing)) awaited.push(need);
    else if (need === undefined && dependency.restart && run !== undefined) runs[name] = run;
  }
  return { awaited, runs };
}

const NOT_YET = { Started: 'has not started yet', Ready: 'is not ready yet', Completed: 'has not completed yet' } as const;

/** Why a dependency is not as far as it must be; undefined where it is. */
function needFor(name: ContainerName, { condition }: Dependency, { desired, milestones, isProbed }: DependencyRooms): UnmetNeed | undefined {
  const wanted = desired(name);
  const { isStarted, isReady, isCompleted, isFailed } = milestones(name);
  const isThere = { Started: isStarted, Ready: isReady, Completed: isCompleted };
  if (condition === undefined ? isReady || isCompleted || (isStarted && !isProbed(name)) : isThere[condition]) return undefined;
  const need = (reason: string, message: string, isComing = false): UnmetNeed => ({ kind: 'Container', name, reason, message: `it waits for container ${name}, which ${message}`, isComing });
  if (wanted === undefined) return need('DependencyMissing', 'nobody has declared; declare it, take it out of dependsOn, or set required to false there');
  const { suspend, restartPolicy } = wanted.container.spec;
  if (suspend) return need('DependencySuspended', 'is suspended; set its spec.suspend to false');
  if (isFailed) return need('DependencyFailed', `has failed for good; see "mooring explain ${name}"`);
  if (condition === 'Completed' && restartPolicy === 'Always') return need('DependencyFailed', 'never completes: its restartPolicy is Always; set OnFailure or Never there, or wait for another condition');
  if (condition === 'Ready' && isCompleted) return need('DependencyFailed', 'has ended for good, and so is never ready; wait for it to be Completed');
  return need(WAITING_FOR_DEPENDENCY, NOT_YET[condition ?? (isProbed(name) ? 'Ready' : 'Started')], true);
}

/** The dependency of a running container that has run anew since that was started with it, though its restart is to be followed. */
export function restartedDependency({ dependencyRuns = {} }: Facts, order: OrderSituation | undefined): ContainerName | undefined {
  return (Object.keys(order?.runs ?? {}) as ContainerName[]).find((name) => dependencyRuns[name] !== undefined && dependencyRuns[name] !== order?.runs[name]);
}

/** What to remember of the dependencies of a container that is started now. */
export function withRunsOfStart(facts: Facts, order: OrderSituation | undefined): Facts {
  const { dependencyRuns, ...kept } = facts;
  const runs = order?.runs ?? {};
  if (Object.keys(runs).length === 0) return dependencyRuns === undefined ? facts : kept;
  return { ...kept, dependencyRuns: runs };
}

/** The same of one that runs: those that it did not follow till now, from here on; no longer those that it follows no more. The very object given where nothing changed. */
export function withRunsFollowed(facts: Facts, container: Container, order: OrderSituation | undefined): Facts {
  const { dependencyRuns: known = {}, ...kept } = facts;
  const followed = dependenciesOf(container).flatMap(({ name, dependency }) => (dependency.restart ? [name] : []));
  const runs = Object.fromEntries(followed.flatMap((name) => [known[name] ?? order?.runs[name]].flatMap((run) => (run === undefined ? [] : [[name, run] as const]))));
  const isSame = Object.keys(runs).length === Object.keys(known).length && followed.every((name) => runs[name] === known[name]);
  if (isSame) return facts;
  return Object.keys(runs).length === 0 ? kept : { ...kept, dependencyRuns: runs };
}
