import type { NetworkNative } from '../../native/network.ts';
import { addressText, subnetText } from '../../spec/address.ts';
import { CachedFinding } from './cached-finding.ts';
import { leadsLoopback6 } from './forwarding.ts';
import type { NetworkLayout } from './network-layout.ts';
import { tableName } from './network-names.ts';
import { RuleTable } from './rule-table.ts';
import type { Element, RulesOptions } from './rules.ts';

/** The rules of an instance, made with its first bridge and taken away with its last. */
export class Firewall {
  readonly #table: string;
  readonly #rules: RuleTable;
  readonly #finding: CachedFinding;
  readonly #bridges = new Set<string>();
  #loopback6 = false;

  constructor(native: NetworkNative, instance: string) {
    this.#table = tableName(instance);
    this.#rules = new RuleTable(native);
    this.#finding = new CachedFinding(() => this.#rules.faults(this.#options()));
  }

  /** Lets a bridge's packets through, and keeps it apart from the others. */
  async open(bridge: string, layout: NetworkLayout): Promise<void> {
    this.#bridges.add(bridge);
    if (this.#rules.isWritten) {
      await this.#rules.publish(this.#options(), bridge, bridgeElements(bridge, layout));
    } else {
      this.#rules.expect(bridge, bridgeElements(bridge, layout));
      await this.write();
    }
  }

  async close(bridge: string): Promise<void> {
    this.#bridges.delete(bridge);
    if (this.#bridges.size === 0) await this.#rules.remove(this.#table);
    else await this.#rules.withdraw(this.#options(), bridge);
    this.suspect();
  }

  /** What `write` is to bring for a bridge. */
  expectBridge(bridge: string, layout: NetworkLayout): void {
    this.#bridges.add(bridge);
    this.#rules.expect(bridge, bridgeElements(bridge, layout));
  }

  /** What `write` is to bring for a container. */
  expect(owner: string, elements: readonly Element[]): void {
    this.#rules.expect(owner, elements);
  }

  /** Writes everything anew. */
  async write(): Promise<void> {
    this.#loopback6 = await leadsLoopback6();
    await this.#rules.write(this.#options());
    this.suspect();
  }

  /** Gives a container these elements in place of those that it had. */
  publish(owner: string, elements: readonly Element[]): Promise<void> {
    return this.#rules.publish(this.#options(), owner, elements);
  }

  withdraw(owner: string): Promise<void> {
    return this.#rules.withdraw(this.#options(), owner);
  }

  /** How the rules differ from what they should be, for people; empty while no bridge wants any. */
  faults(): Promise<string[]> {
    return this.#bridges.size === 0 ? Promise.resolve([]) : this.#finding.faults();
  }

  suspect(): void {
    this.#finding.suspect();
  }

  async repair(): Promise<void> {
    this.suspect();
    if ((await this.faults()).length > 0) await this.write();
  }

  /** Removes what a daemon before this one left. */
  async clear(): Promise<void> {
    await this.#rules.remove(this.#table);
  }

  #options(): RulesOptions {
    return { table: this.#table, loopback6: this.#loopback6, hostPolicy: '' };
  }
}

function bridgeElements(bridge: string, { spec, v4, v6 }: NetworkLayout): Element[] {
  const name = `"${bridge}"`;
  return [
    { set: 'bridges', key: name },
    { set: 'same', key: `${name} . ${name}` },
    { set: 'homes4', key: `${subnetText(v4.subnet)} . ${name}` },
    ...(v6 ? [{ set: 'homes6', key: `${subnetText(v6.subnet)} . ${name}` } as const] : []),
    { set: 'gateways4', key: `${addressText(v4.gateway)} . ${name}` },
    ...(v6 ? [{ set: 'gateways6', key: `${addressText(v6.gateway)} . ${name}` } as const] : []),
    { set: spec.internal ? 'internal' : 'masked', key: name },
  ];
}
