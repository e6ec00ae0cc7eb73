import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { pino } from 'pino';
import { systemClock } from '../../../src/lib/clock.ts';
import { type Declared, type DesiredStore, resourceOf } from '../../../src/reconcile/desired.ts';
import { openDesiredStore } from '../../../src/reconcile/desired-store.ts';
import { containerSchema } from '../../../src/spec/container.ts';
import { parseContainerName } from '../../../src/spec/name.ts';
import type { SpecProblem } from '../../../src/spec/problem.ts';
import { contentOf } from '../../../src/spec/resource.ts';
import { createDirectorySource, type DirectorySource } from '../../../src/sources/directory/source.ts';

/** Long enough for the slowest machine; nothing waits that long unless it fails. */
const DEADLINE_MS = 10_000;

const logger = pino({ level: 'silent' });

/** A document of one container; `extra` goes below its spec. */
export function yaml(name: string, extra = ''): string {
  return `apiVersion: mooring.dev/v1alpha1\nkind: Container\nmetadata:\n  name: ${name}\nspec:\n  image: mooring.local/busybox:latest\n${extra}`;
}

export function declared(name: string): Declared {
  const document = { apiVersion: 'mooring.dev/v1alpha1', kind: 'Container', metadata: { name }, spec: { image: 'mooring.local/busybox:latest' } };
  return { resource: containerSchema.parse(document), location: 'test' };
}

/** A directory source over real files and real inotify, with a desired store whose records lie in memory. */
export class Harness implements AsyncDisposable {
  readonly base: string;
  readonly dir: string;
  readonly desired: DesiredStore;
  readonly events: { reason: string; message: string; name?: string | undefined }[] = [];
  /** Every name that was ever removed from the desired state, in order. */
  readonly removed: string[] = [];
  readonly appeared: SpecProblem[] = [];
  readonly #sources: DirectorySource[] = [];

  constructor(base: string, dir: string) {
    this.base = base;
    this.dir = dir;
    this.desired = openDesiredStore({ records: { list: () => [], replace: () => {} }, hashOf: (resource) => JSON.stringify(contentOf(resource)), logger });
    this.desired.subscribe((changed) => this.removed.push(...changed.filter(({ kind, name }) => this.desired.getOf(kind, name) === undefined).map(({ name }) => name)));
  }

  /** Starts a source over `files`, and waits until it was read. The rescan is an hour off unless asked for: what is found is found by events. */
  async start(options: { readonly rescanIntervalMs?: number } = {}): Promise<DirectorySource> {
    const source = createDirectorySource({
      dir: this.dir,
      desired: this.desired,
      events: { record: (event) => void this.events.push(event), list: () => [], subscribe: () => () => {} },
      clock: systemClock,
      logger,
      onProblems: (_standing, appeared) => void this.appeared.push(...appeared),
      rescanIntervalMs: 3_600_000,
      ...options,
    });
    this.#sources.push(source);
    source.start();
    await source.ready;
    return source;
  }

  /** Writes a file below the specs folder, making folders as needed. */
  async write(path: string, text: string): Promise<void> {
    await mkdir(dirname(join(this.dir, path)), { recursive: true });
    await writeFile(join(this.dir, path), text);
  }

  names(): string[] {
    return this.desired
      .listSource('directory')
      .map((desired) => resourceOf(desired).metadata.name)
      .toSorted();
  }

  env(name: string): string | undefined {
    return this.desired.get(parseContainerName(name))?.container.spec.env[0]?.value;
  }

  location(name: string): string | undefined {
    return this.desired.get(parseContainerName(name))?.origin.location;
  }

  /** Waits until the directory wants just these. */
  async wants(...names: string[]): Promise<void> {
    await eventually(() => assert.deepEqual(this.names(), names.toSorted()));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const source of this.#sources) await source.stop();
    await rm(this.base, { recursive: true, force: true });
  }
}

/** A harness over an empty specs folder; `way` is the folder's path below a temporary one. */
export async function createHarness(way = 'specs'): Promise<Harness> {
  const base = await mkdtemp(join(tmpdir(), 'mooring-directory-'));
  const harness = new Harness(base, join(base, way));
  if (way === 'specs') await mkdir(harness.dir);
  return harness;
}

/** Repeats an assertion until it holds. */
export async function eventually(assertion: () => void): Promise<void> {
  const end = Date.now() + DEADLINE_MS;
  for (;;) {
    try {
      return assertion();
    } catch (error) {
      if (Date.now() > end) throw error;
    }
    await delay(5);
  }
}

/** An environment variable's YAML, the mark by which a test knows a version of a spec. */
export function mark(value: string): string {
  return `  env:\n    - name: MARK\n      value: "${value}"\n`;
}
