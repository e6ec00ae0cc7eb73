import type { ContainerId, ExitRecord, ObservedContainer } from '../../src/engine/engine.ts';
import type { DesiredContainer } from '../../src/reconcile/desired.ts';
import { noFacts } from '../../src/reconcile/facts.ts';
import type { Situation } from '../../src/reconcile/situation.ts';
import { type Container, type ContainerSpec, containerSchema } from '../../src/spec/container.ts';
import { specHash } from '../../src/spec/hash.ts';
import { containerName } from '../../src/spec/name.ts';

export const T0 = Date.UTC(2026, 0, 1);

export function container(name: string, spec: Partial<ContainerSpec> = {}): Container {
  return containerSchema.parse({
    apiVersion: 'mooring.dev/v1alpha1',
    kind: 'Container',
    metadata: { name },
    spec: { image: 'mooring.local/busybox:latest', ...spec },
  });
}

export function desired(spec: Partial<ContainerSpec> = {}, generation = 1): DesiredContainer {
  const document = container('web', spec);
  return {
    name: containerName(document.metadata),
    container: document,
    origin: { source: 'directory', location: 'web.yaml:1:1' },
    specHash: specHash(document),
    generation,
  };
}

export function observed(process: ObservedContainer['process'], spec: Partial<ContainerSpec> = {}): ObservedContainer {
  const document = container('web', spec);
  return {
    id: 'a'.repeat(64) as ContainerId,
    name: containerName(document.metadata),
    container: document,
    specHash: specHash(document),
    imageId: `sha256:${'b'.repeat(64)}`,
    createdAt: T0,
    process,
    drift: [],
  };
}

export const running: ObservedContainer['process'] = {
  state: 'Running',
  init: { pid: 100, startTime: 1 },
  monitor: { pid: 99, startTime: 1 },
  startedAt: T0,
};
export const creating: ObservedContainer['process'] = { state: 'Creating', monitor: { pid: 99, startTime: 1 } };
export const none: ObservedContainer['process'] = { state: 'None' };

export function exited(exit: Partial<ExitRecord> = {}): ObservedContainer['process'] {
  return { state: 'Exited', exit: { exitCode: 1, signal: null, oomKilled: false, startedAt: T0, finishedAt: T0 + 5_000, ...exit } };
}

export function situation(parts: Partial<Situation>): Situation {
  return { desired: undefined, observed: undefined, facts: noFacts, now: T0 + 5_000, ...parts };
}
