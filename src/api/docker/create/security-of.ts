import { canonicalCapability } from '../../../spec/capability.ts';
import type { HostConfig } from './create-body.ts';
import { bad } from './refusal.ts';
import type { SpecInput } from './spec-input.ts';

/** What the container is allowed to do beyond and below the usual. */
export function securityOf(host: HostConfig): SpecInput {
  return {
    privileged: host.Privileged,
    readOnlyRootFilesystem: host.ReadonlyRootfs,
    capabilities: capabilitiesOf(host),
  };
}

/** moby's order: what is added by name stands against what is dropped, unless all were added. */
function capabilitiesOf({ CapAdd: add, CapDrop: drop }: HostConfig): NonNullable<SpecInput['capabilities']> {
  const added = new Set(add.map((name) => known(name, 'CapAdd')));
  const dropped = new Set(drop.map((name) => known(name, 'CapDrop')));
  const [weaker, stronger] = added.has('ALL') ? [added, dropped] : [dropped, added];
  return added.has('ALL') && dropped.has('ALL') ? { drop: ['ALL'] } : { ...listed('add', added, added === weaker ? stronger : undefined), ...listed('drop', dropped, dropped === weaker ? stronger : undefined) };
}

function listed(field: 'add' | 'drop', names: ReadonlySet<string>, without: ReadonlySet<string> | undefined): { add?: string[]; drop?: string[] } {
  const left = [...names].filter((name) => !without?.has(name));
  return left.length > 0 ? { [field]: left } : {};
}

function known(name: string, field: string): string {
  try {
    return canonicalCapability(name);
  } catch {
    throw bad(`invalid ${field}: unknown capability: "${name}"`);
  }
}
