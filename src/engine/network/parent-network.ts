import { MooringError } from '../../lib/errors.ts';
import type { NetworkNative } from '../../native/network.ts';
import * as rtnetlink from '../../native/rtnetlink.ts';
import { CachedFinding } from './cached-finding.ts';
import type { NetworkLayout } from './network-layout.ts';
import type { Anchor, NodeNetwork } from './node-network.ts';

/** A network whose containers lie on a link of the node (macvlan, ipvlan): of the node's own there is nothing to make. */
export class ParentNetwork implements NodeNetwork {
  #layout: NetworkLayout;
  readonly #native: NetworkNative;
  readonly #finding: CachedFinding;
  #parent: { readonly index: number; readonly mtu: number } | undefined;

  constructor(native: NetworkNative, layout: NetworkLayout) {
    this.#native = native;
    this.#layout = layout;
    this.#finding = new CachedFinding(() => this.linkFaults());
  }

  get layout(): NetworkLayout {
    return this.#layout;
  }

  get anchor(): Anchor | undefined {
    if (!this.#parent) return undefined;
    return { kind: this.#kind, name: this.#name, index: this.#parent.index, mode: this.#mode };
  }

  get mtu(): number {
    return this.layout.spec.mtu ?? this.#parent?.mtu ?? 1500;
  }

  change(layout: NetworkLayout): void {
    this.#layout = layout;
    this.suspect();
  }

  async raise(): Promise<void> {
    const { name, spec } = this.layout;
    const link = await this.#lookUp();
    if (!link) throw new MooringError('Unavailable', `network ${name}: there is no link ${this.#name} to lie on`, { fix: 'make that link, or make the network anew with another parent' });
    if (spec.mtu !== undefined && spec.mtu > link.mtu) throw new MooringError('Conflict', `network ${name} has an MTU of ${spec.mtu}, and its parent ${this.#name} one of ${link.mtu}`, { fix: 'give a smaller mtu' });
    this.#parent = { index: link.index, mtu: link.mtu };
  }

  async adopt(): Promise<void> {
    const link = await this.#lookUp();
    this.#parent = link && { index: link.index, mtu: link.mtu };
  }

  faults(): Promise<string[]> {
    return this.#finding.faults();
  }

  async linkFaults(): Promise<string[]> {
    const link = await this.#lookUp();
    if (!link) return [`link ${this.#name}, which network ${this.layout.name} lies on, is gone`];
    return [...(link.index === this.#parent?.index ? [] : [`link ${link.name} was replaced`]), ...(link.up ? [] : [`link ${link.name} is down`])];
  }

  suspect(): void {
    this.#finding.suspect();
  }

  /** The parent is the node's own: it is found again, and brought up, but never made. */
  async repair(): Promise<void> {
    this.suspect();
    await this.raise();
    await this.#native.netlink(-1, [rtnetlink.setUp(this.#name)]);
    this.suspect();
  }

  lower(): Promise<void> {
    this.#parent = undefined;
    this.suspect();
    return Promise.resolve();
  }

  get #kind(): 'macvlan' | 'ipvlan' {
    return this.layout.spec.driver === 'Ipvlan' ? 'ipvlan' : 'macvlan';
  }

  get #name(): string {
    return this.layout.spec.parent ?? '';
  }

  get #mode(): number {
    const { mode } = this.layout.spec;
    const modes: Readonly<Record<string, number>> = rtnetlink.SUBLINK_MODES[this.#kind];
    return modes[mode ?? (this.#kind === 'macvlan' ? 'Bridge' : 'L2')] ?? 0;
  }

  async #lookUp(): Promise<rtnetlink.Link | undefined> {
    const [reply] = await this.#native.netlink(-1, [rtnetlink.getLink(this.#name)]);
    return rtnetlink.linksIn(reply?.data ?? Buffer.alloc(0))[0];
  }
}
