import type { ContainerName } from '../../spec/name.ts';
import type { ContainerId } from '../engine.ts';

/** One container on one network, as its neighbours find it. */
export interface NamedEndpoint {
  readonly id: ContainerId;
  readonly name: ContainerName;
  /** Further names on this network; several containers may have the same, and then share it. */
  readonly aliases: readonly string[];
  /** Its own on this network, as `addressText` writes them. */
  readonly addresses: readonly string[];
  /** Names that only this container knows others by; `container` is one of its own namespace. */
  readonly links: readonly { readonly container: string; readonly alias: string }[];
  /** Name servers that it wants to have asked for all else, in place of the node's. */
  readonly servers: readonly string[];
}

/** Where a network's names are asked for, and by whom. */
export interface NameSite {
  /** Addresses of the node on the network. */
  readonly gateways: readonly string[];
  /** `172.30.16.0/20`. Nobody else is answered. */
  readonly subnets: readonly string[];
}

/** What the networks tell of who is to be found where. */
export interface NetworkNames {
  /** Serves a network, once its gateways are there; again where they have changed. Throws `Conflict` where port 53 of one is taken. */
  open(network: string, site: NameSite): Promise<void>;
  close(network: string): Promise<void>;
  /** Whether it is served now. */
  serves(network: string): boolean;
  /** A container is to be found on a network, under what it is called now. */
  join(network: string, endpoint: NamedEndpoint): void;
  leave(network: string, id: ContainerId): void;
  closeAll(): Promise<void>;
}
