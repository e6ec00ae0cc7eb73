import { type FileHandle, stat } from 'node:fs/promises';
import { errnoOf, MooringError } from '../../lib/errors.ts';
import type { Native, ProcessIdentity } from '../../native/native.ts';
import type { Container } from '../../spec/container.ts';
import { type ContainerName, containerName } from '../../spec/name.ts';
import type { ContainerId, Drift } from '../engine.ts';
import { openNamespace } from './container-link.ts';
import type { Member, Membership } from './membership.ts';

export interface SharedNamespacesOptions {
  readonly native: Native;
  readonly members: Membership;
  readonly initOf: (id: ContainerId) => Promise<ProcessIdentity | undefined>;
}

/** Containers in mode `Container`: they are in the network namespace of another one, for as long as that has it. */
export class SharedNamespaces {
  readonly #options: SharedNamespacesOptions;

  constructor(options: SharedNamespacesOptions) {
    this.#options = options;
  }

  /** Throws `Conflict` where containers would share each other's network in a loop. */
  check(container: Container): void {
    const chain = [containerName(container.metadata)];
    for (let next = targetOf(container); next !== undefined; next = followed(this.#options.members.find(next))) {
      if (chain.includes(next)) throw new MooringError('Conflict', `container ${chain[0] ?? ''} can't share a network in a loop: ${[...chain, next].join(' → ')}`, { fix: 'let one of them have a network of its own' });
      chain.push(next);
    }
  }

  /** The namespace that a container is to be started in. Throws `Unavailable` while its owner does not run. */
  async open(container: Container): Promise<{ readonly owner: ContainerId; readonly namespace: FileHandle }> {
    const { native, initOf } = this.#options;
    const owner = this.#ownerOf(container);
    const init = owner && (await initOf(owner.id));
    const namespace = init && (await openNamespace(native, init));
    if (namespace) return { owner: owner.id, namespace };
    const target = targetOf(container) ?? '';
    throw new MooringError('Unavailable', `container ${containerName(container.metadata)} shares the network of container ${target}, which ${owner ? 'does not run' : 'is not there'}`, { fix: `start container ${target}` });
  }

  /** Whether the container is still where its owner is. While the owner does not run, there is nothing better to be in. */
  async observe(container: Container, init: ProcessIdentity): Promise<Drift[]> {
    const owner = this.#ownerOf(container);
    const ownerInit = owner && (await this.#options.initOf(owner.id));
    if (!ownerInit) return [];
    const [mine, theirs] = await Promise.all([namespaceOf(init), namespaceOf(ownerInit)]);
    if (mine === undefined || theirs === undefined || mine === theirs) return [];
    return [{ kind: 'NetworkNamespace', message: `it is in a network namespace that container ${targetOf(container) ?? ''} has left, since that was started anew` }];
  }

  /** Those that share the network of a container, be it by way of another one. */
  sharersOf(id: ContainerId): ContainerId[] {
    return this.#options.members.all().flatMap((each) => (targetOf(each.container) !== undefined && this.#ownerOf(each.container)?.id === id ? [each.id] : []));
  }

  /** The container whose network it is in the end. */
  #ownerOf(container: Container): Member | undefined {
    const { members } = this.#options;
    this.check(container);
    let owner: Member | undefined;
    for (let next = targetOf(container); next !== undefined; next = followed(owner)) {
      owner = members.find(next);
      if (!owner) return undefined;
    }
    return owner;
  }
}

function targetOf({ metadata, spec }: Container): ContainerName | undefined {
  const { mode, container } = spec.network;
  return mode === 'Container' && container !== undefined ? containerName({ namespace: metadata.namespace, name: container }) : undefined;
}

function followed(member: Member | undefined): ContainerName | undefined {
  return member && targetOf(member.container);
}

/** Undefined when the process is gone. */
async function namespaceOf({ pid }: ProcessIdentity): Promise<number | undefined> {
  try {
    return (await stat(`/proc/${pid}/ns/net`)).ino;
  } catch (error) {
    if (errnoOf(error) === 'ENOENT' || errnoOf(error) === 'ESRCH') return undefined;
    throw error;
  }
}
