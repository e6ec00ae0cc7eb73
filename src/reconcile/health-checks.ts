import { isDeepStrictEqual } from 'node:util';
import type { ContainerId, ObservedContainer } from '../engine/engine.ts';
import type { Clock, TimerHandle } from '../lib/clock.ts';
import { MooringError, messageOf } from '../lib/errors.ts';
import type { Logger } from '../lib/logger.ts';
import { Semaphore } from '../lib/semaphore.ts';
import type { ContainerName } from '../spec/name.ts';
import type { ContainerProbe } from '../spec/probe.ts';
import { isSameRun } from './asked.ts';
import { type Checkup, checkupOf, PROBE_NAMES, type ProbeKind, type ProbeSpec, type Unwell } from './checkup.ts';
import type { DesiredContainer } from './desired.ts';
import type { EventLog } from './events.ts';
import { afterProbe, containerProbe, describeHealth, startingHealth, untilNextProbe, type Health, type Probe, type ProbeResult, probeOf } from './health.ts';
import type { Prober } from './prober.ts';

export interface HealthChecksOptions {
  readonly prober: Prober;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly events: Pick<EventLog, 'record'>;
  /** Where the node reaches a container; undefined where it has no address. */
  readonly addressOf: (name: ContainerName) => string | undefined;
  /** What probes say of a container is another than it was. */
  readonly onChange: (name: ContainerName) => void;
  /** A container is to be restarted for it. */
  readonly onUnwell: (name: ContainerName) => void;
  /** Programs run in containers at once. */
  readonly concurrency: number;
}

type Running = ObservedContainer['process'] & { readonly state: 'Running' };

/** One run that is probed. */
interface Patient {
  readonly id: ContainerId;
  readonly imageId: string;
  readonly process: Running;
  readonly spec: ProbeSpec;
  /** By kind, what is probed so far. */
  readonly found: Partial<Record<ProbeKind, Health>>;
  readonly timers: Map<ProbeKind, TimerHandle>;
  /** Whether it is known if its image asks for a health check. */
  isKnown: boolean;
  left?: true;
}

/** Probes the containers that ask for it, each run from its start: one timer for each probe, none for a container without. */
export class HealthChecks {
  readonly #options: HealthChecksOptions;
  readonly #slots: Semaphore;
  readonly #patients = new Map<ContainerName, Patient>();

  constructor(options: HealthChecksOptions) {
    this.#options = options;
    this.#slots = new Semaphore(options.concurrency);
  }

  /** What probes say of a container's present run; undefined for one that does not run, or whose run has not been looked at. */
  of(name: ContainerName): Checkup | undefined {
    const patient = this.#patients.get(name);
    return patient && checkupOf(patient.spec, patient.found, patient.isKnown);
  }

  /** Why the very run that was observed is to be restarted. */
  unwellOf(name: ContainerName, observed: ObservedContainer | undefined): Unwell | undefined {
    const patient = this.#patients.get(name);
    if (patient === undefined || observed?.id !== patient.id || observed.process.state !== 'Running' || !isSameRun(observed.process.init, patient.process.init)) return undefined;
    return this.of(name)?.unwell;
  }

  /** Takes up what was just observed. A container that does not run, or stands still, is not probed; of one that runs on as it did nothing is forgotten. */
  follow(name: ContainerName, desired: DesiredContainer | undefined, observed: ObservedContainer | undefined): void {
    const before = this.#patients.get(name);
    if (desired === undefined || observed?.process.state !== 'Running') {
      if (before !== undefined) this.#leave(name, before);
      return;
    }
    const { id, imageId, process } = observed;
    const { healthcheck, startupProbe, readinessProbe, livenessProbe } = desired.container.spec;
    const spec: ProbeSpec = { healthcheck, startupProbe, readinessProbe, livenessProbe };
    if (before !== undefined && before.id === id && isSameRun(before.process.init, process.init) && isDeepStrictEqual(before.spec, spec)) {
      // Who stands still can't be probed, and is none the worse for it.
      if (process.frozen !== before.process.frozen) this.#begin(name, { ...before, process, timers: new Map() }, before);
      return;
    }
    this.#begin(name, { id, imageId, process, spec, found: {}, timers: new Map(), isKnown: false }, before);
  }

  close(): void {
    for (const [name, patient] of this.#patients) this.#leave(name, patient);
  }

  #begin(name: ContainerName, patient: Patient, before: Patient | undefined): void {
    if (before) this.#leave(name, before);
    this.#patients.set(name, patient);
    if (patient.process.frozen !== true) this.#prepare(name, patient).catch((error: unknown) => this.#options.logger.error({ err: error, name }, 'a container can not be probed'));
  }

  async #prepare(name: ContainerName, patient: Patient): Promise<void> {
    const { imageId, spec, found } = patient;
    if (spec.startupProbe !== undefined && found.Startup?.status !== 'Healthy') this.#schedule(name, patient, 'Startup', containerProbe(spec.startupProbe));
    else this.#beginOthers(name, patient);
    const probe = probeOf(spec.healthcheck, spec.healthcheck?.disabled === true ? undefined : await this.#imageHealthcheck(name, imageId));
    if (patient.left) return;
    if (probe !== undefined) found.Health ??= startingHealth;
    if (!patient.isKnown) {
      patient.isKnown = true;
      this.#options.onChange(name);
    }
    if (probe !== undefined) this.#schedule(name, patient, 'Health', probe);
  }

  /** What can't be read asks for nothing: an image may go while its container runs on. */
  async #imageHealthcheck(name: ContainerName, imageId: string): ReturnType<Prober['imageHealthcheck']> {
    try {
      return await this.#options.prober.imageHealthcheck(imageId);
    } catch (error) {
      this.#options.logger.warn({ err: error, name }, 'it is not known whether the image of a container asks for a health check');
      return undefined;
    }
  }

  /** What the startup probe holds back. */
  #beginOthers(name: ContainerName, patient: Patient): void {
    const { readinessProbe, livenessProbe } = patient.spec;
    const begin = (kind: ProbeKind, probe: ContainerProbe | undefined): void => {
      if (probe !== undefined) this.#schedule(name, patient, kind, containerProbe(probe));
    };
    begin('Readiness', readinessProbe);
    begin('Liveness', livenessProbe);
  }

  #schedule(name: ContainerName, patient: Patient, kind: ProbeKind, probe: Probe): void {
    const { clock, logger } = this.#options;
    const wait = untilNextProbe(patient.found[kind] ?? startingHealth, probe, patient.process.startedAt, clock.now());
    const timer = clock.setTimeout(() => {
      this.#turn(name, patient, kind, probe).catch((error: unknown) => logger.error({ err: error, name }, 'a probe failed in a way that says nothing of its container'));
    }, wait);
    patient.timers.set(kind, timer);
  }

  async #turn(name: ContainerName, patient: Patient, kind: ProbeKind, probe: Probe): Promise<void> {
    const make = (): Promise<ProbeResult | undefined> => (patient.left ? Promise.resolve(undefined) : this.#probe(name, patient, probe));
    const result = await (probe.action.exec === undefined ? make() : this.#slots.run(make));
    if (patient.left) return;
    const health = patient.found[kind] ?? startingHealth;
    const next = result === undefined ? health : afterProbe(health, result, probe, patient.process.startedAt);
    if (result !== undefined) this.#change(name, patient, kind, next);
    // Whoever has started has, until the next run.
    if (kind === 'Startup' && next.status === 'Healthy') this.#beginOthers(name, patient);
    else this.#schedule(name, patient, kind, probe);
  }

  /** Undefined where it says nothing: the container has just ended, or was paused. */
  async #probe(name: ContainerName, { id }: Patient, { action, timeout }: Probe): Promise<ProbeResult | undefined> {
    const { prober, clock, addressOf } = this.#options;
    const startedAt = clock.now();
    try {
      return { startedAt, ...(await prober.probe({ id, address: addressOf(name) }, action, timeout)), endedAt: clock.now() };
    } catch (error) {
      if (error instanceof MooringError && (error.code === 'Conflict' || error.code === 'NotFound')) return undefined;
      return { startedAt, endedAt: clock.now(), exitCode: -1, output: messageOf(error) };
    }
  }

  #change(name: ContainerName, patient: Patient, kind: ProbeKind, health: Health): void {
    const { events, onChange, onUnwell } = this.#options;
    const before = patient.found[kind]?.status;
    patient.found[kind] = health;
    const message = kind === 'Health' ? describeHealth(health) : `its ${PROBE_NAMES[kind]}: ${describeHealth(health)}`;
    if (health.status === 'Healthy' && before !== 'Healthy') events.record({ type: 'Normal', reason: 'Healthy', message, name });
    if (health.status === 'Unhealthy' && before !== 'Unhealthy') events.record({ type: 'Warning', reason: 'Unhealthy', message, name });
    onChange(name);
    if (before !== health.status && this.of(name)?.unwell !== undefined) onUnwell(name);
  }

  #leave(name: ContainerName, patient: Patient): void {
    patient.left = true;
    for (const timer of patient.timers.values()) this.#options.clock.clearTimeout(timer);
    if (this.#patients.get(name) === patient) this.#patients.delete(name);
  }
}
