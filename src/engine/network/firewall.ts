import type { NetworkNative } from '../../native/network.ts';
import { messageOf } from '../../lib/errors.ts';
import type { Logger } from '../../lib/logger.ts';
import { addressText, subnetText } from '../../spec/address.ts';
import { CachedFinding } from './cached-finding.ts';
import { leadsLoopback6 } from './forwarding.ts';
import { closedPolicy, type HostPolicy, OPEN_POLICY } from './host-policy.ts';
import type { NetworkLayout } from './network-layout.ts';
import { tableName } from './network-names.ts';
import { readHostPolicy } from './read-host-policy.ts';
import { RuleTable } from './rule-table.ts';
import type { Element, RulesOptions } from './rules.ts';

/** The rules of an instance, made with its first bridge and taken away with its last. */
export class Firewall {
  readonly #native: NetworkNative;
  readonly #logger: Logger;
  readonly #table: string;
  readonly #rules: RuleTable;
  readonly #finding: CachedFinding;
  readonly #bridges = new Set<string>();
  #loopback6 = false;
  /** As it was last written; undefined while nothing wants to be judged. */
  #policy: HostPolicy | undefined;
  /** Its text as it was read, be it that the kernel did not take it. */
  #read: string | undefined;
  /** Owners with ports that the node's own input rules judge. */
  readonly #judged = new Set<string>();

  constructor(native: NetworkNative, instance: string, logger: Logger) {
    this.#native = native;
    this.#logger = logger;
    this.#table = tableName(instance);
    this.#rules = new RuleTable(native);
    this.#finding = new CachedFinding(async () => (await Promise.all([this.#rules.faults(this.#options()), this.#policyFaults()])).flat());
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
    if (this.#bridges.size === 0) {
      this.#judged.clear();
      this.#policy = undefined;
      await this.#rules.remove(this.#table);
    } else {
      await this.#rules.withdraw(this.#options(), bridge);
    }
    this.suspect();
  }

  /** What `write` is to bring for a bridge. */
  expectBridge(bridge: string, layout: NetworkLayout): void {
    this.#bridges.add(bridge);
    this.#rules.expect(bridge, bridgeElements(bridge, layout));
  }

  /** What `write` is to bring for a container. */
  expect(owner: string, elements: readonly Element[]): void {
    this.#note(owner, elements);
    this.#rules.expect(owner, elements);
  }

  /** Writes everything anew. */
  async write(): Promise<void> {
    this.#loopback6 = await leadsLoopback6();
    this.#policy = this.#judged.size > 0 ? await readHostPolicy(this.#native) : undefined;
    this.#read = this.#policy?.text;
    try {
      await this.#rules.write(this.#options());
    } catch (error) {
      if (!this.#policy) throw error;
      // It may be the node's rules that the kernel does not take here; without them all is as it should be, and shut.
      this.#policy = closedPolicy(this.#policy, messageOf(error));
      await this.#rules.write(this.#options());
    }
    for (const rule of this.#policy?.unread ?? []) this.#logger.warn({ rule }, "one of the node's input rules can't be applied to published ports; it is taken in the strict way");
    this.suspect();
  }

  /** Gives a container these elements in place of those that it had. */
  async publish(owner: string, elements: readonly Element[]): Promise<void> {
    this.#note(owner, elements);
    if (this.#judged.size > 0 && !this.#policy) {
      this.#rules.expect(owner, elements);
      await this.write();
    } else {
      await this.#rules.publish(this.#options(), owner, elements);
    }
  }

  async withdraw(owner: string): Promise<void> {
    this.#judged.delete(owner);
    await this.#rules.withdraw(this.#options(), owner);
  }

  /** Judges as the node's own input rules do now, which somebody may have changed. */
  async follow(): Promise<void> {
    if (this.#policy && (await this.#policyFaults()).length > 0) await this.write();
  }

  /** How the node's own input rules judge what comes to published ports. */
  get policy(): HostPolicy {
    return this.#policy ?? OPEN_POLICY;
  }

  /** How the rules differ from what they should be, for people; empty while no bridge wants any. */
  faults(): Promise<string[]> {
    return this.#bridges.size === 0 ? Promise.resolve([]) : this.#finding.faults();
  }

  async #policyFaults(): Promise<string[]> {
    if (!this.#policy) return [];
    const { text, chains } = await readHostPolicy(this.#native);
    // Rules that could not be carried over are tried again when they change.
    const same = text === this.#read;
    return same ? [] : [`published ports are not judged as the node's input rules have it now (${chains.join('; ') || 'none'})`];
  }

  #note(owner: string, elements: readonly Element[]): void {
    if (elements.some(({ set }) => set === 'judged' || set === 'judged4' || set === 'judged6')) this.#judged.add(owner);
    else this.#judged.delete(owner);
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
    return { table: this.#table, loopback6: this.#loopback6, hostPolicy: this.#policy?.text ?? '' };
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
