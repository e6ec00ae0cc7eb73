import { PassThrough } from 'node:stream';

import type { ApiServices } from '../../../src/api/v1/services.ts';
import { MooringError } from '../../../src/lib/errors.ts';
import type { DesiredContainer } from '../../../src/reconcile/desired.ts';
import type { ContainerDrift } from '../../../src/reconcile/drift-report.ts';
import type { MooringEvent } from '../../../src/reconcile/events.ts';
import type { ContainerView } from '../../../src/reconcile/view.ts';
import type { Container } from '../../../src/spec/container.ts';
import type { ContainerName } from '../../../src/spec/name.ts';
import { parseDocuments } from '../../../src/spec/parse.ts';
import type { SpecProblem } from '../../../src/spec/problem.ts';
import { resourceName } from '../../../src/spec/resource.ts';

/** Services over plain maps, whose contents a test sets and changes. */
export class FakeServices implements ApiServices {
  readonly viewsByName = new Map<ContainerName, ContainerView>();
  readonly desiredByName = new Map<ContainerName, DesiredContainer>();
  readonly eventList: MooringEvent[] = [];
  problemList: readonly SpecProblem[] = [];
  readonly #viewListeners = new Set<(name: ContainerName) => void>();
  readonly #eventListeners = new Set<(event: MooringEvent) => void>();
  readonly #problemListeners = new Set<() => void>();

  get listeners(): number {
    return this.#viewListeners.size + this.#eventListeners.size + this.#problemListeners.size;
  }

  put(view: ContainerView): void {
    this.viewsByName.set(view.name, view);
    for (const listener of this.#viewListeners) listener(view.name);
  }

  reject(problems: readonly SpecProblem[]): void {
    this.problemList = problems;
    for (const listener of this.#problemListeners) listener();
  }

  drop(name: ContainerName): void {
    this.viewsByName.delete(name);
    for (const listener of this.#viewListeners) listener(name);
  }

  tell(event: MooringEvent): void {
    this.eventList.push(event);
    for (const listener of this.#eventListeners) listener(event);
  }

  /** For a test that asks for images to set. */
  images = {} as ApiServices['images'];
  files = {} as ApiServices['files'];

  readonly driftList: ContainerDrift[] = [];

  readonly reconciler: ApiServices['reconciler'] = {
    make: () => Promise.reject(new Error('no face under test makes')),
    run: () => Promise.resolve(),
    stop: () => Promise.resolve(true),
    reset: () => Promise.resolve(),
    onExit: () => () => {},
    health: () => undefined,
    drift: () => Promise.resolve([...this.driftList]),
    views: () => [...this.viewsByName.values()],
    view: (name) => this.viewsByName.get(name),
    explain: (name) =>
      Promise.resolve({ name, desired: 'generation 1', observed: 'running', next: { kind: 'Settled', reason: 'AsDesired', message: 'nothing to do' }, machineState: 'settled' }),
    plan: (containers) =>
      Promise.resolve(containers.map(({ kind, metadata }) => ({ kind, name: `${metadata.namespace}/${metadata.name}` as ContainerName, action: 'Create' as const, steps: [], changes: [] }))),
    subscribe: (listener) => {
      this.#viewListeners.add(listener);
      return () => this.#viewListeners.delete(listener);
    },
  };

  readonly desired: ApiServices['desired'] = {
    get: (name) => this.desiredByName.get(name),
    getOf: (kind, name) => (kind === 'Container' ? (this.desiredByName.get(name as ContainerName) as never) : undefined),
    listOf: (kind) => (kind === 'Container' ? ([...this.desiredByName.values()] as never) : []),
    apply: (source, declared) =>
      declared.map(({ resource, location }) => {
        const container = resource as Container;
        const name = `${container.metadata.namespace}/${container.metadata.name}` as ContainerName;
        const before = this.desiredByName.get(name);
        const same = JSON.stringify(before?.container.spec) === JSON.stringify(container.spec);
        const now = { name, container, origin: { source, location }, specHash: '', generation: (before?.generation ?? 0) + (same ? 0 : 1) };
        this.desiredByName.set(name, now);
        return now;
      }),
    delete: (source, keys) => {
      for (const { name } of keys) {
        if (this.desiredByName.get(name as ContainerName)?.origin.source !== source) throw new MooringError('Conflict', 'another source holds it');
        this.desiredByName.delete(name as ContainerName);
      }
    },
  };

  readonly networks = { list: () => [], inspect: () => Promise.resolve(undefined) } as unknown as ApiServices['networks'];

  readonly volumes = { list: () => [], inspect: () => Promise.resolve(undefined), usage: () => Promise.resolve(0) } as unknown as ApiServices['volumes'];

  readonly supplies: ApiServices['supplies'] = { standing: () => undefined, settle: () => Promise.resolve(undefined) };

  readonly disk = () => Promise.resolve({ rows: [], reclaimable: { images: 0, builds: 0, volumes: 0 } });
  readonly builds = { cacheUsage: () => Promise.resolve({ count: 0, bytes: 0, reclaimable: 0 }) } as unknown as ApiServices['builds'];

  readonly events: ApiServices['events'] = {
    list: ({ name } = {}) => this.eventList.filter((event) => name === undefined || event.name === name),
    subscribe: (listener) => {
      this.#eventListeners.add(listener);
      return () => this.#eventListeners.delete(listener);
    },
  };

  readonly problems = (): readonly SpecProblem[] => this.problemList;

  readonly onProblems: ApiServices['onProblems'] = (listener) => {
    this.#problemListeners.add(listener);
    return () => this.#problemListeners.delete(listener);
  };

  readonly parse: ApiServices['parse'] = (file, text) => {
    const { documents, problems } = parseDocuments(text, file);
    return { declared: documents.map(({ resource, at }) => ({ resource, location: at })), problems };
  };

  /** Two lines, and with `follow` a third, after which it waits for the signal. */
  /** Each gives one end of a pair of streams, whose other end echoes. */
  streams: ApiServices['streams'] = {
    attach: () => Promise.resolve(new PassThrough()),
    exec: (_id, { command }) => Promise.resolve(command[0] === 'none' ? { exitCode: 127 as const, message: 'exec: "none": not found' } : { id: 'a1', pid: 42 }),
    signal: () => Promise.resolve(true),
    attachExec: () => Promise.reject(new MooringError('NotFound', 'it has ended')),
  };

  readonly insight: ApiServices['insight'] = {
    record: (id) => {
      throw new MooringError('NotFound', `there is no container ${id}`);
    },
    lastExit: () => Promise.resolve(undefined),
    layers: () => Promise.resolve({ lower: [], upper: '', work: '' }),
    pids: () => Promise.resolve([]),
    usage: () => Promise.resolve(undefined),
    attachNext: () => Promise.reject(new MooringError('NotFound', 'there will be no run')),
  };

  logs: ApiServices['logs'] = async function* (id, { follow, tail, signal }) {
    const line = (text: string) => ({ time: '2026-01-01T00:00:00.000000001Z', stream: 'stdout' as const, bytes: Buffer.from(text), complete: true });
    yield [line(`${id} first`), line('second')].slice(tail === undefined ? 0 : -tail);
    if (!follow) return;
    yield [line('third')];
    await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
  };

  tokens: ApiServices['tokens'] = {
    create: () => {
      throw new Error('no face under test makes tokens');
    },
    list: () => [],
    revoke: () => {},
    grantOf: () => ({ refusal: 'no face under test bears a token' }),
  };

  readonly info: ApiServices['info'] = () => ({
    version: '0.0.0-test',
    node: process.version,
    instance: 'test',
    pid: process.pid,
    startedAt: '2026-01-01T00:00:00Z',
    specs: '/specs',
    dataDir: '/data',
    runDir: '/run',
    metricsUrl: null,
    kernel: 'test',
    containers: this.viewsByName.size,
  });

  readonly down: ApiServices['down'] = async function* () {
    yield { type: 'REMOVED', name: 'default/web', remaining: 0 } as const;
    await Promise.resolve();
    yield { type: 'DONE', removed: 1, failed: 0 } as const;
  };
}

/** A running container as the reconciler shows it, parsed from a document. */
export function viewFrom(text: string, over: Partial<ContainerView> = {}): ContainerView {
  const [document] = parseDocuments(text, 'web.yaml').documents;
  if (document?.resource.kind !== 'Container') throw new Error('the test has a document that does not parse');
  return {
    name: resourceName(document.resource),
    container: document.resource,
    generation: 3,
    origin: { source: 'directory', location: document.at },
    phase: 'Running',
    status: {
      conditions: [{ type: 'Ready', status: 'True', reason: 'Running', message: 'runs', lastTransitionTime: '2026-01-01T00:00:00Z', observedGeneration: 3 }],
      observedGeneration: 3,
      containerID: 'ab'.repeat(32),
      pid: 42,
      startedAt: '2026-01-01T00:00:00Z',
      restartCount: 0,
    },
    ...over,
  };
}

export const WEB = `apiVersion: mooring.dev/v1alpha1
kind: Container
metadata:
  name: web
  annotations: {note: kept}
spec:
  image: mooring.local/busybox:latest
  network: {mode: Host}
  ports: [{containerPort: 8080}]
`;
