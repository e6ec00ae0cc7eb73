import type { ContainerEngine, ContainerId, ExecRequest, ExecResult, ExitRecord } from '../engine/engine.ts';
import type { Clock } from '../lib/clock.ts';
import type { ContainerName } from '../spec/name.ts';
import type { DesiredContainer } from './desired.ts';
import { driftPolicyOf } from './drift.ts';
import { type DriftEntry, withFound } from './drift-record.ts';
import { type ContainerDrift, driftReport } from './drift-report.ts';
import type { EventLog } from './events.ts';
import type { Facts } from './facts.ts';
import type { ReconcileObserver } from './observer.ts';

export interface ExecSessionsOptions {
  readonly engine: Pick<ContainerEngine, 'exec' | 'execs' | 'list'>;
  readonly clock: Clock;
  readonly events: Pick<EventLog, 'record'>;
  readonly observer: Pick<ReconcileObserver, 'driftDetected'>;
  readonly desiredOf: (name: ContainerName) => DesiredContainer | undefined;
  /** Undefined for a container that nothing is known of. */
  readonly factsOf: (name: ContainerName) => Facts | undefined;
  readonly remember: (name: ContainerName, facts: Facts) => void;
}

/** Keeps the record of the processes that somebody adds to containers by hand. They are never ended for it. */
export class ExecSessions {
  readonly #options: ExecSessionsOptions;

  constructor(options: ExecSessionsOptions) {
    this.#options = options;
  }

  /** As `ContainerEngine.exec`. */
  async exec(id: ContainerId, request: ExecRequest, onEnd: (exit: ExitRecord | undefined) => void = () => {}): Promise<ExecResult> {
    const { engine } = this.#options;
    const name = engine.list().find((each) => each.id === id)?.name;
    const ended = Promise.withResolvers<void>();
    const result = await engine.exec(id, request, (exit) => {
      ended.resolve();
      onEnd(exit);
    });
    if (name !== undefined && 'pid' in result && this.#note(name, request, result)) void ended.promise.then(() => this.#end(name, [result.id]));
    return result;
  }

  /** The record of these containers, without the processes that ended while no daemon heard of it. */
  async reports(names: readonly ContainerName[]): Promise<ContainerDrift[]> {
    await Promise.all(names.map((name) => this.#refresh(name)));
    return names.map((name) => driftReport(name, this.#options.factsOf(name)?.driftRecord));
  }

  async #refresh(name: ContainerName): Promise<void> {
    const { engine, factsOf } = this.#options;
    const open = goingOn(factsOf(name));
    if (open.length === 0) return;
    const id = engine.list().find((each) => each.name === name)?.id;
    const alive = id === undefined ? [] : await engine.execs(id);
    this.#end(name, open.flatMap(({ session }) => (session === undefined || alive.includes(session) ? [] : [session])));
  }

  #note(name: ContainerName, { command: [program = ''], user }: ExecRequest, { id, pid }: { readonly id: string; readonly pid: number }): boolean {
    const { clock, events, observer, desiredOf, factsOf, remember } = this.#options;
    const facts = factsOf(name);
    const desired = desiredOf(name);
    if (facts === undefined || desired === undefined || driftPolicyOf(desired.container.spec, 'Exec') === 'Ignore') return false;
    // Of its arguments nothing is told: they may hold what is secret.
    const message = `${program} was begun beside the program, by hand`;
    const who = `a client of the API, as ${user === undefined ? "the container's user" : `user ${user}`}; pid ${pid}`;
    remember(name, { ...facts, driftRecord: withFound(facts.driftRecord ?? [], { kind: 'Exec', message, who }, 'Report', clock.now(), id) });
    observer.driftDetected('Exec');
    events.record({ type: 'Normal', reason: 'ExecBegan', message, name });
    return true;
  }

  #end(name: ContainerName, sessions: readonly string[]): void {
    const { clock, factsOf, remember } = this.#options;
    const facts = factsOf(name);
    const isOver = ({ session, undoneAt }: DriftEntry): boolean => undoneAt === undefined && session !== undefined && sessions.includes(session);
    if (!facts?.driftRecord?.some(isOver)) return;
    remember(name, { ...facts, driftRecord: facts.driftRecord.map((entry) => (isOver(entry) ? { ...entry, undoneAt: clock.now() } : entry)) });
  }
}

function goingOn(facts: Facts | undefined): DriftEntry[] {
  return (facts?.driftRecord ?? []).filter(({ kind, undoneAt }) => kind === 'Exec' && undoneAt === undefined);
}
