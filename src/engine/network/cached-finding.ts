/** For so long a finding holds for further containers that are looked at; events end it sooner. */
const HOLDS_MS = 1_000;

/** What is wrong with something that many containers share: looked for once for all that are looked at together. */
export class CachedFinding {
  readonly #look: () => Promise<string[]>;
  #finding: { readonly faults: Promise<string[]>; readonly at: number } | undefined;

  constructor(look: () => Promise<string[]>) {
    this.#look = look;
  }

  faults(): Promise<string[]> {
    const now = Date.now();
    if (this.#finding && Math.abs(now - this.#finding.at) < HOLDS_MS) return this.#finding.faults;
    const faults = this.#look();
    this.#finding = { faults, at: now };
    return faults;
  }

  /** Something may have changed: the next to ask gets a new finding. */
  suspect(): void {
    this.#finding = undefined;
  }
}
