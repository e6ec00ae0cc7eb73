import { Counter, Gauge, type CounterConfiguration, type GaugeConfiguration } from 'prom-client';

/** One line of a metric. */
export interface Sample<Label extends string> {
  readonly labels: Partial<Record<Label, string>>;
  /** More labels, in an object that many samples share: prom-client's registry prints those once only, which makes a large scrape five times cheaper. */
  readonly sharedLabels?: Partial<Record<Label, string>>;
  readonly value: number;
}

/**
 * A counter that is kept elsewhere, by the kernel or in the records, and read when it is printed. So it never loses or doubles a count,
 * and its lines go with what they count.
 */
export class MirroredCounter<Label extends string> extends Counter<Label> {
  readonly #read: () => Sample<Label>[];

  /** Belongs to no registry yet. */
  constructor(configuration: Omit<CounterConfiguration<Label>, 'registers'>, read: () => Sample<Label>[]) {
    super({ ...configuration, registers: [] });
    this.#read = read;
  }

  override async get(): ReturnType<Counter<Label>['get']> {
    return { ...(await super.get()), values: this.#read() };
  }
}

/** A gauge that is read when it is printed. */
export class MirroredGauge<Label extends string> extends Gauge<Label> {
  readonly #read: () => Sample<Label>[];

  /** Belongs to no registry yet. */
  constructor(configuration: Omit<GaugeConfiguration<Label>, 'registers'>, read: () => Sample<Label>[]) {
    super({ ...configuration, registers: [] });
    this.#read = read;
  }

  override async get(): ReturnType<Gauge<Label>['get']> {
    return { ...(await super.get()), values: this.#read() };
  }
}
