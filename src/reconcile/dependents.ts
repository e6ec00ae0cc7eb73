import type { Container } from '../spec/container.ts';
import type { ContainerName } from '../spec/name.ts';
import { dependenciesOf } from '../spec/order-graph.ts';
import type { ResourceKey } from './desired.ts';
import { keyText } from './desired-store.ts';
import { needsOf } from './needs.ts';

/** Whatever a container is to be looked at again for. */
export function wakersOf(container: Container): ResourceKey[] {
  return [...needsOf(container), ...dependenciesOf(container).map(({ name }) => ({ kind: 'Container' as const, name }))];
}

/** Which containers stand on what. */
export class Dependents {
  readonly #needs = new Map<ContainerName, readonly string[]>();
  readonly #byKey = new Map<string, Set<ContainerName>>();

  /** Makes `needs` all that the container stands on. */
  set(name: ContainerName, needs: readonly ResourceKey[]): void {
    for (const key of this.#needs.get(name) ?? []) {
      const names = this.#byKey.get(key);
      names?.delete(name);
      if (names?.size === 0) this.#byKey.delete(key);
    }
    this.#needs.delete(name);
    if (needs.length === 0) return;
    const keys = needs.map(keyText);
    this.#needs.set(name, keys);
    for (const key of keys) {
      const names = this.#byKey.get(key);
      if (names === undefined) this.#byKey.set(key, new Set([name]));
      else names.add(name);
    }
  }

  of(key: ResourceKey): readonly ContainerName[] {
    return [...(this.#byKey.get(keyText(key)) ?? [])];
  }
}
