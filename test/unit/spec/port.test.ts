import assert from 'node:assert/strict';
import { test } from 'node:test';
import { containerSchema } from '../../../src/spec/container.ts';
import { specChanged, specHash } from '../../../src/spec/hash.ts';

const container = (...ports: object[]) => containerSchema.parse({ apiVersion: 'mooring.dev/v1alpha1', kind: 'Container', metadata: { name: 'web' }, spec: { image: 'redis', network: { mode: 'Bridge' }, ports } });

/** What is wrong with a list of ports. */
function faults(...ports: object[]): string[] {
  const { error } = containerSchema.safeParse({ apiVersion: 'mooring.dev/v1alpha1', kind: 'Container', metadata: { name: 'web' }, spec: { image: 'redis', network: { mode: 'Bridge' }, ports } });
  return (error?.issues ?? []).map(({ path, message }) => `${path.slice(2).join('.')} ${message}`);
}

test('several ports of the node may lead to one of the container, and one of the node to one only', () => {
  const at = (containerPort: number, hostPort?: number, more: object = {}) => ({ containerPort, ...(hostPort !== undefined && { hostPort }), ...more });
  for (const ports of [
    [at(80, 80), at(80, 8080)],
    [at(80, 80, { hostIP: '127.0.0.1' }), at(80, 80, { hostIP: '127.0.0.2' }), at(80, 80, { protocol: 'UDP' })],
    [at(80, 80), at(81, 80, { hostIP: '127.0.0.1' })],
    [at(80, 80, { endPort: 89 }), at(85, 185)],
  ]) assert.deepEqual(faults(...ports), [], JSON.stringify(ports));

  for (const [ports, fault] of [
    [[at(80), at(80)], /^1\.containerPort "80\/TCP" is given twice/],
    [[at(80, 80), at(80)], /^1\.containerPort "80\/TCP" is given twice/],
    [[at(80, 80), at(81, 80)], /^1\.hostPort "80\/TCP" is given twice/],
    [[at(80, 80), at(81, 80, { hostIP: '0.0.0.0' })], /^1\.hostPort "80\/TCP" is given twice/],
    [[at(80, 80), at(81, 80, { hostIP: '::' })], /^1\.hostPort "80\/TCP" is given twice/],
    [[at(80, 80, { endPort: 89 }), at(100, 75, { endPort: 109 })], /^1\.hostPort "80\/TCP" is given twice/],
    [[at(80, undefined, { endPort: 89 }), at(85)], /^1\.containerPort "85\/TCP" is given twice/],
  ] as const) assert.match(faults(...ports)[0] ?? '', fault, JSON.stringify(ports));
  assert.equal(faults(at(80, 80), at(80, 80), at(80, 80)).length, 2, 'each is told of once');
});

test('their order says nothing, and a change names the one that changed', () => {
  const [first, second] = [{ containerPort: 80, hostPort: 80 }, { containerPort: 80, hostPort: 8080 }];
  assert.equal(specHash(container(first, second)), specHash(container(second, first)));
  const added = specChanged(container(first), container(first, second));
  assert.deepEqual(added.map(({ field, from }) => [field, from]), [['spec.ports[80/TCP 2]', '(none)']]);
});
