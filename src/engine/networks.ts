import type { Network } from '../spec/network.ts';
import type { ContainerName, NetworkName } from '../spec/name.ts';

/** What there is of a network on the node. Addresses and subnets are text, IPv4 first. */
export interface NetworkState {
  readonly name: NetworkName;
  /** The document that it was made from. */
  readonly network: Network;
  /** Whether given or chosen; what was chosen stays for as long as the network does. */
  readonly subnets: readonly string[];
  /** One for each subnet. */
  readonly gateways: readonly string[];
  /** Name of the node's link that it is made of. Undefined while that is not there, as with a bridge that nobody is connected to. */
  readonly link: string | undefined;
  /** Containers with an address on it, running or not. */
  readonly containers: readonly { readonly name: ContainerName; readonly addresses: readonly string[]; readonly mac: string }[];
  /** What of it is not as it should be, for people, just read from the kernel; empty when all is well, or nothing is up. */
  readonly faults: readonly string[];
  /** Milliseconds since the epoch. */
  readonly createdAt: number;
}

/**
 * The user-defined networks of the node, beside its default one, which is always there. Each operation is safe to repeat and to be killed in.
 * Containers are connected by the `ContainerEngine`, as their own documents say.
 */
export interface NetworkEngine {
  /**
   * Has the network as its document says: chooses and records its subnets where there is no record yet, repairs what `faults` told, takes over what may
   * change of the spec. What the kernel shows of it may come only with its first container. Before anything is made: `Conflict` where a subnet overlaps one of
   * another network or a route of the node, or an immutable field (`NETWORK_IMMUTABLE`) is not as recorded; `NotFound` for a parent that is no link of the
   * node; `Unsupported` for a driver that the kernel lacks.
   */
  ensure(network: Network): Promise<void>;
  /** Everything on record. */
  list(): readonly NetworkName[];
  /** Undefined when there is no such network. */
  inspect(name: NetworkName): Promise<NetworkState | undefined>;
  /** The node's own network, which is there without a document: what of it is chosen, and who is on it. */
  usual(): Promise<Pick<NetworkState, 'subnets' | 'gateways' | 'link' | 'containers' | 'createdAt'>>;
  /**
   * Gives back the addresses on it of containers that do not run, so that it can be removed though their documents name it; should it be there again, they have others from
   * their next start on. `Conflict`, naming them, while containers run on it.
   */
  vacate(name: NetworkName): void;
  /** Takes it away. `Conflict`, naming them, while containers have addresses on it. Nothing happens where there is none. */
  remove(name: NetworkName): Promise<void>;
  /** Hints that something of a network changed in the kernel. Returns the function that unsubscribes. */
  subscribe(listener: (name: NetworkName) => void): () => void;
}
