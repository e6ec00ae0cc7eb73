import type { NetworkLayout } from './network-layout.ts';

/** What interfaces of containers hang on. */
export type Anchor =
  | { readonly kind: 'bridge'; readonly name: string; readonly index: number }
  | { readonly kind: 'macvlan' | 'ipvlan'; readonly name: string; readonly index: number; /** One of SUBLINK_MODES. */ readonly mode: number };

/** The node's side of one network. It is there while a container is connected. */
export interface NodeNetwork {
  readonly layout: NetworkLayout;
  /** Undefined while it is not there. */
  readonly anchor: Anchor | undefined;
  readonly mtu: number;
  /** Takes over what may change of a network, or a change of subnets that nobody uses. What of it is there follows with the next `repair`. */
  change(layout: NetworkLayout): void;
  /** Makes all of it, if that has not been done. */
  raise(): Promise<void>;
  /** Takes up what a daemon before this one left; the rules are written by who asks for that. */
  adopt(): Promise<void>;
  /** What is not as it should be, for people. Looked for once for all containers that are looked at together. */
  faults(): Promise<string[]>;
  /** The quick part of it: of the link alone. */
  linkFaults(): Promise<string[]>;
  /** Something may have changed: the next to ask gets a new finding. */
  suspect(): void;
  /** Makes right what `faults` finds wrong. */
  repair(): Promise<void>;
  /** Takes everything away that is there of it. */
  lower(): Promise<void>;
}
