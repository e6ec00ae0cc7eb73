import { errnoOf } from '../../lib/errors.ts';
import type { NetworkNative } from '../../native/network.ts';
import { addElements, deleteElements, type Element, noTable, type RulesOptions, wholeTable } from './rules.ts';
import { elementText, parseListing } from './table-listing.ts';

/** The instance's nftables table: what is to be in it, and what is. Every change is one transaction; they are made one after the other. */
export class RuleTable {
  readonly #native: NetworkNative;
  /** By owner. */
  readonly #wanted = new Map<string, readonly Element[]>();
  /** Of the table as the kernel gave it back right after it was written; undefined before. */
  #shape: string | undefined;
  #last: Promise<unknown> = Promise.resolve();

  constructor(native: NetworkNative) {
    this.#native = native;
  }

  /** What `write` is to bring besides what is published already. */
  expect(owner: string, elements: readonly Element[]): void {
    if (elements.length > 0) this.#wanted.set(owner, elements);
  }

  /** Writes the whole table anew. */
  write(options: RulesOptions): Promise<void> {
    return this.#inTurn(async () => {
      await this.#native.runNft(wholeTable(options, [...this.#wanted.values()].flat()));
      this.#shape = parseListing(await this.#native.runNft(`list table inet ${options.table}`)).shape;
    });
  }

  /** Adds an owner's elements. Costs what they cost, not what the table holds. */
  async publish(options: RulesOptions, owner: string, elements: readonly Element[]): Promise<void> {
    if (elements.length === 0) return;
    this.expect(owner, elements);
    // There already, from the run before: nothing is changed.
    await this.#inTurn(() => this.#native.runNft(addElements(options.table, elements))).catch(() => this.write(options));
  }

  /** Takes an owner's elements out. */
  async withdraw(options: RulesOptions, owner: string): Promise<void> {
    const elements = this.#wanted.get(owner);
    if (!elements) return;
    this.#wanted.delete(owner);
    await this.#inTurn(() => this.#native.runNft(deleteElements(options.table, elements))).catch(() => this.write(options));
  }

  /** How the table differs from what is wanted, for people. */
  faults({ table }: RulesOptions): Promise<string[]> {
    return this.#inTurn(async () => {
      let text: string;
      try {
        text = await this.#native.runNft(`list table inet ${table}`);
      } catch (error) {
        if (error instanceof Error && errnoOf(error.cause) === 'ENOENT') return [`nftables table ${table} is gone`];
        throw error;
      }
      const { shape, elements } = parseListing(text);
      const wanted = new Set([...this.#wanted.values()].flat().map(elementText));
      const missing = [...wanted].filter((each) => !elements.has(each));
      const foreign = [...elements].filter((each) => !wanted.has(each));
      return [
        ...(shape === this.#shape ? [] : [`the chains and rules of nftables table ${table} were changed`]),
        ...(missing.length > 0 ? [`nftables table ${table} has lost ${few(missing)}`] : []),
        ...(foreign.length > 0 ? [`nftables table ${table} has ${few(foreign)}, which nobody asked for`] : []),
      ];
    });
  }

  /** Takes the table away, if it is there. */
  remove(table: string): Promise<void> {
    this.#wanted.clear();
    return this.#inTurn(async () => {
      await this.#native.runNft(noTable(table));
      this.#shape = undefined;
    });
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(work);
    this.#last = turn.catch(() => {}); // whoever asked for it hears of it
    return turn;
  }
}

function few(elements: readonly string[]): string {
  const shown = elements.slice(0, 3).map((each) => `{ ${each} }`);
  return elements.length > shown.length ? `${shown.join(', ')} and ${elements.length - shown.length} more` : shown.join(', ');
}
