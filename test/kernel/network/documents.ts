import { type Container, containerSchema } from '../../../src/spec/container.ts';
import { type Network, networkResourceSchema } from '../../../src/spec/network.ts';

/** A container of busybox. */
export function containerDocument(name: string, spec: Record<string, unknown>): Container {
  return containerSchema.parse({ apiVersion: 'mooring.dev/v1alpha1', kind: 'Container', metadata: { name }, spec: { image: 'mooring.local/busybox', ...spec } });
}

/** A network's document. */
export function networkOf(name: string, spec: Record<string, unknown> = {}): Network {
  return networkResourceSchema.parse({ apiVersion: 'mooring.dev/v1alpha1', kind: 'Network', metadata: { name }, spec });
}
