import { isDeepStrictEqual } from 'node:util';
import type { ContainerId, ObservedContainer } from '../engine/engine.ts';
import type { Clock, TimerHandle } from '../lib/clock.ts';
import { MooringError, messageOf } from '../lib/errors.ts';
import type { Logger } from '../lib/logger.ts';
import { Semaphore } from '../lib/semaphore.ts';
import type { Healthcheck } from '../spec/healthcheck.ts';
import type { ContainerName } from '../spec/name.ts';
import { isSameRun } from './asked.ts';
import type { DesiredContainer } from './desired.ts';
import type { EventLog } from './events.ts';
import { afterProbe, describeHealth, startingHealth, untilNextProbe, type Health, type Probe, type ProbeResult, probeOf } from './health.ts';
import type { Prober } from './prober.ts';

export interface HealthChecksOptions {
  readonly prober: Prober;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly events: Pick<EventLog, 'record'>;
  /** The health of a container is another than it was. */
  readonly onChange: (name: ContainerName) => void;
  /** Probes made at once. */
  readonly concurrency: number;
}

type Running = ObservedContainer['process'] & { readonly state: 'Running' };

/** One run that is probed. */
interface Patient {
  readonly id: ContainerId;
  readonly imageId: string;
  readonly process: Running;
  readonly healthcheck: Healthcheck | undefined;
  /** Undefined until it is known that there is something to probe. */
  health: Health | undefined;
  timer?: TimerHandle;
  left?: true;
}

/** Probes the containers that ask for it, each run from its start: one timer a container that has a probe, none for any other. */
export class HealthChecks {
  readonly #options: HealthChecksOptions;
  readonly #slots: Semaphore;
  readonly #patients = new Map<ContainerName, Patient>();

  constructor(options: HealthChecksOptions) {
    this.#options = options;
    this.#slots = new Semaphore(options.concurrency);
  }

  /** Undefined for a container that is not probed. */
  of(name: ContainerName): Health | undefined {
    return this.#patients.get(name)?.health;
  }

  /** Takes up what was just observed. A container that does not run, or stands still, is not probed; of one that runs on as it did nothing is forgotten. */
  follow(name: ContainerName, desired: DesiredContainer | undefined, observed: ObservedContainer | undefined): void {
    const before = this.#patients.get(name);
    if (desired === undefined || observed?.process.state !== 'Running') {
      if (before !== undefined) this.#leave(name, before);
      return;
    }
    const { id, imageId, process } = observed;
    const { healthcheck } = desired.container.spec;
    if (before !== undefined && before.id === id && isSameRun(before.process.init, process.init) && isDeepStrictEqual(before.healthcheck, healthcheck)) {
      // Who stands still can't be probed, and is none the worse for it.
      if (process.frozen !== before.process.frozen) this.#patients.set(name, this.#begin(name, { ...before, process }, before));
      return;
    }
    this.#patients.set(name, this.#begin(name, { id, imageId, process, healthcheck, health: undefined }, before));
  }

  close(): void {
    for (const [name, patient] of this.#patients) this.#leave(name, patient);
  }

  #begin(name: ContainerName, patient: Patient, before: Patient | undefined): Patient {
    if (before) this.#leave(name, before);
    if (patient.process.frozen !== true) this.#prepare(name, patient).catch((error: unknown) => this.#options.logger.error({ err: error, name }, 'a container can not be probed'));
    return patient;
  }

  async #prepare(name: ContainerName, patient: Patient): Promise<void> {
    const { healthcheck, imageId } = patient;
    if (healthcheck?.disabled === true) return;
    const probe = probeOf(healthcheck, await this.#options.prober.imageHealthcheck(imageId));
    if (probe === undefined || patient.left) return;
    if (patient.health === undefined) this.#change(name, patient, startingHealth);
    this.#schedule(name, patient, probe);
  }

  #schedule(name: ContainerName, patient: Patient, probe: Probe): void {
    const { clock, logger } = this.#options;
    const wait = untilNextProbe(patient.health ?? startingHealth, probe, patient.process.startedAt, clock.now());
    patient.timer = clock.setTimeout(() => {
      this.#turn(name, patient, probe).catch((error: unknown) => logger.error({ err: error, name }, 'a probe failed in a way that says nothing of its container'));
    }, wait);
  }

  async #turn(name: ContainerName, patient: Patient, probe: Probe): Promise<void> {
    const result = await this.#slots.run(() => (patient.left ? Promise.resolve(undefined) : this.#probe(patient, probe)));
    if (patient.left) return;
    const { health = startingHealth, process } = patient;
    if (result !== undefined) this.#change(name, patient, afterProbe(health, result, probe, process.startedAt));
    this.#schedule(name, patient, probe);
  }

  /** Undefined where it says nothing: the container has just ended, or was paused. */
  async #probe({ id }: Patient, { command, timeout }: Probe): Promise<ProbeResult | undefined> {
    const { prober, clock } = this.#options;
    const startedAt = clock.now();
    try {
      return { startedAt, ...(await prober.probe(id, command, timeout)), endedAt: clock.now() };
    } catch (error) {
      if (error instanceof MooringError && (error.code === 'Conflict' || error.code === 'NotFound')) return undefined;
      return { startedAt, endedAt: clock.now(), exitCode: -1, output: messageOf(error) };
    }
  }

  #change(name: ContainerName, patient: Patient, health: Health): void {
    const { events, onChange } = this.#options;
    const before = patient.health?.status;
    patient.health = health;
    if (health.status === 'Healthy' && before !== 'Healthy') events.record({ type: 'Normal', reason: 'Healthy', message: describeHealth(health), name });
    if (health.status === 'Unhealthy' && before !== 'Unhealthy') events.record({ type: 'Warning', reason: 'Unhealthy', message: describeHealth(health), name });
    onChange(name);
  }

  #leave(name: ContainerName, patient: Patient): void {
    patient.left = true;
    this.#options.clock.clearTimeout(patient.timer);
    if (this.#patients.get(name) === patient) this.#patients.delete(name);
  }
}
