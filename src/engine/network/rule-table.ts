import { errnoOf } from '../../lib/errors.ts';
import { Semaphore } from '../../lib/semaphore.ts';
import type { NetworkNative } from '../../native/network.ts';
import { addElements, deleteElements, type Element, noTables, type RulesOptions, TABLE_FAMILIES, wholeTables } from './rules.ts';
import { elementText, parseListing, type TableListing } from './table-listing.ts';

/** The instance's nftables tables: what is to be in them, and what is. Every change is one transaction; they are made one after the other. */
export class RuleTable {
  readonly #native: NetworkNative;
  /** By owner. */
  readonly #wanted = new Map<string, readonly Element[]>();
  /** Of the tables as the kernel gave them back right after they were written; undefined before. */
  #shapes: readonly string[] | undefined;
  readonly #oneByOne = new Semaphore(1);

  constructor(native: NetworkNative) {
    this.#native = native;
  }

  get isWritten(): boolean {
    return this.#shapes !== undefined;
  }

  /** What `write` is to bring of an owner in place of what it had. */
  expect(owner: string, elements: readonly Element[]): void {
    if (elements.length > 0) this.#wanted.set(owner, elements);
    else this.#wanted.delete(owner);
  }

  /** Writes the whole tables anew. */
  write(options: RulesOptions): Promise<void> {
    return this.#oneByOne.run(async () => {
      await this.#native.runNft(wholeTables(options, [...this.#wanted.values()].flat()));
      this.#shapes = (await this.#list(options.table)).map((listing) => listing?.shape ?? '');
    });
  }

  /** Gives an owner these elements in place of those that it had. Costs what they cost, not what the tables hold. */
  async publish(options: RulesOptions, owner: string, elements: readonly Element[]): Promise<void> {
    const before = this.#wanted.get(owner) ?? [];
    this.expect(owner, elements);
    const [old, young] = [new Set(before.map(elementText)), new Set(elements.map(elementText))];
    const gone = before.filter((each) => !young.has(elementText(each)));
    const come = elements.filter((each) => !old.has(elementText(each)));
    const commands = deleteElements(options.table, gone) + addElements(options.table, come);
    // There already, or gone already, by somebody else's hand: then all of it is written.
    if (commands !== '') await this.#oneByOne.run(() => this.#native.runNft(commands)).catch(() => this.write(options));
  }

  /** Takes an owner's elements out. */
  async withdraw(options: RulesOptions, owner: string): Promise<void> {
    if (this.#wanted.has(owner)) await this.publish(options, owner, []);
  }

  /** How the tables differ from what is wanted, for people. */
  faults({ table }: RulesOptions): Promise<string[]> {
    return this.#oneByOne.run(async () => {
      const listings = await this.#list(table);
      const absent = TABLE_FAMILIES.filter((_, at) => listings[at] === undefined);
      if (absent.length > 0) return absent.map((family) => `nftables table ${family} ${table} is gone`);
      const elements = new Set(listings.flatMap((listing) => [...(listing?.elements ?? [])]));
      const wanted = new Set([...this.#wanted.values()].flat().map(elementText));
      const missing = [...wanted].filter((each) => !elements.has(each));
      const foreign = [...elements].filter((each) => !wanted.has(each));
      const changed = TABLE_FAMILIES.filter((_, at) => listings[at]?.shape !== this.#shapes?.[at]);
      return [
        ...changed.map((family) => `the chains and rules of nftables table ${family} ${table} were changed`),
        ...(missing.length > 0 ? [`nftables table ${table} has lost ${few(missing)}`] : []),
        ...(foreign.length > 0 ? [`nftables table ${table} has ${few(foreign)}, which nobody asked for`] : []),
      ];
    });
  }

  /** Takes the tables away, if they are there. */
  remove(table: string): Promise<void> {
    this.#wanted.clear();
    return this.#oneByOne.run(async () => {
      await this.#native.runNft(noTables(table));
      this.#shapes = undefined;
    });
  }

  /** Undefined for a table that is not there. */
  #list(table: string): Promise<(TableListing | undefined)[]> {
    return Promise.all(
      TABLE_FAMILIES.map(async (family) => {
        try {
          return parseListing(await this.#native.runNft(`list table ${family} ${table}`));
        } catch (error) {
          if (error instanceof Error && errnoOf(error.cause) === 'ENOENT') return undefined;
          throw error;
        }
      }),
    );
  }
}

function few(elements: readonly string[]): string {
  const shown = elements.slice(0, 3).map((each) => `{ ${each} }`);
  return elements.length > shown.length ? `${shown.join(', ')} and ${elements.length - shown.length} more` : shown.join(', ');
}
