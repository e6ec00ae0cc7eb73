import { MooringError } from '../../lib/errors.ts';
import type { BuildPlan } from './build-plan.ts';
import type { Instruction } from './instruction.ts';
import type { BuildProgress } from './progress.ts';
import { jsonWords } from './words.ts';

/** Instructions of which only the last one counts. */
const LAST_COUNTS: ReadonlySet<string> = new Set(['CMD', 'ENTRYPOINT', 'HEALTHCHECK']);

/** What is allowed and probably not meant. Rules have the names that Docker's build checks give them, for `# check=skip=…`. */
export class Lint {
  readonly #plan: BuildPlan;
  readonly #report: (progress: BuildProgress) => void;
  #found = 0;

  constructor(plan: BuildPlan, report: (progress: BuildProgress) => void) {
    this.#plan = plan;
    this.#report = report;
  }

  /** Throws `Invalid` where a warning is to be an error. */
  run(): void {
    const { stages, dockerfile } = this.#plan;
    for (const { from, instructions } of stages) {
      const seen = new Map<string, Instruction>();
      for (const instruction of instructions) {
        const { keyword, text } = instruction;
        const earlier = seen.get(keyword);
        seen.set(keyword, instruction);
        if (earlier && LAST_COUNTS.has(keyword)) this.#warn('MultipleInstructionsDisallowed', `only the last ${keyword} of a stage counts`, earlier);
        if (keyword === 'MAINTAINER') this.#warn('MaintainerDeprecated', 'MAINTAINER is obsolete: use LABEL org.opencontainers.image.authors', instruction);
        if ((keyword === 'CMD' || keyword === 'ENTRYPOINT') && !jsonWords(text)) this.#warn('JSONArgsRecommended', `${keyword} in shell form hides signals from the program: use ${keyword} ["…"]`, instruction);
        if ((keyword === 'ENV' || keyword === 'LABEL') && !/^\S*=/.test(text)) this.#warn('LegacyKeyValueFormat', `write ${keyword} name=value`, instruction);
      }
      const [, alias] = / AS +(\S+)$/i.exec(from.text) ?? [];
      if (alias !== undefined && alias !== alias.toLowerCase()) this.#warn('StageNameCasing', `the stage ${alias} is known as ${alias.toLowerCase()}`, from);
    }
    if (this.#found > 0 && dockerfile.check.error) throw new MooringError('Invalid', `${dockerfile.file} has ${this.#found} warnings, and its check directive makes them errors`);
  }

  #warn(rule: string, message: string, { at }: Instruction): void {
    const { skip } = this.#plan.dockerfile.check;
    if (skip.has(rule) || skip.has('all')) return;
    this.#found++;
    this.#report({ type: 'WARNING', rule, message, at });
  }
}
