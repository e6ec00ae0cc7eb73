import type { BuildProgress } from '../../api/v1/build-types.ts';
import type { Io } from '../io.ts';
import { LiveScreen } from './live-screen.ts';

const REDRAW = { redrawMs: 100, refreshMs: 1000 };
/** Lines of a step's output that are shown below it while it runs. */
const TAIL = 6;

type Step = BuildProgress & { type: 'STEP' };

interface Shown {
  readonly step: Step;
  readonly began: number;
  detail: string;
  readonly tail: string[];
}

/** Shows a build as it goes: on a terminal the steps with the last output of those that run, else every line as it comes. */
export class BuildScreen implements Disposable {
  readonly #io: Io;
  readonly #screen: LiveScreen | undefined;
  readonly #steps = new Map<number, Shown>();
  readonly #warnings: string[] = [];

  constructor(io: Io, live: boolean) {
    this.#io = io;
    this.#screen = live ? new LiveScreen(io, () => this.render(), REDRAW) : undefined;
  }

  show(event: BuildProgress): void {
    this.#note(event);
    if (this.#screen) this.#screen.changed();
    else this.#print(event);
  }

  /** The build as it is now. */
  render(): string {
    const lines = [...this.#steps.values()].flatMap(({ step, began, detail, tail }) => {
      const seconds = step.seconds ?? (this.#io.now() - began) / 1000;
      const head = `${mark(step.state)} [${step.stage}] ${step.text} ${step.state === 'Cached' ? 'cached' : `${seconds.toFixed(1)}s`}`;
      const runs = step.state === 'Started' || step.state === 'Failed';
      return [head, ...(runs && detail !== '' ? [`    ${detail}`] : []), ...(runs ? tail.map((line) => `    | ${line}`) : [])];
    });
    return [...lines, ...this.#warnings].join('\n');
  }

  [Symbol.dispose](): void {
    this.#screen?.finish();
  }

  #note(event: BuildProgress): void {
    if (event.type === 'WARNING') {
      this.#warnings.push(`warning: ${event.at}: ${event.message} (${event.rule})`);
      return;
    }
    const known = this.#steps.get(event.id);
    if (event.type === 'STEP') this.#steps.set(event.id, { step: event, began: known?.began ?? this.#io.now(), detail: '', tail: known?.tail ?? [] });
    else if (known && event.type === 'DETAIL') known.detail = event.text;
    else if (known && event.type === 'OUTPUT') {
      known.tail.push(event.text);
      if (known.tail.length > TAIL) known.tail.shift();
    }
  }

  #print(event: BuildProgress): void {
    if (event.type === 'WARNING') this.#io.err(`warning: ${event.at}: ${event.message} (${event.rule})\n`);
    else if (event.type === 'OUTPUT') this.#io.out(`#${event.id} ${event.text}\n`);
    else if (event.type === 'DETAIL') this.#io.out(`#${event.id} ${event.text}\n`);
    else if (event.state === 'Started') this.#io.out(`#${event.id} [${event.stage}] ${event.text}\n`);
    else this.#io.out(`#${event.id} ${event.state.toUpperCase()}${event.state === 'Cached' ? '' : ` ${(event.seconds ?? 0).toFixed(1)}s`}\n`);
  }
}

function mark(state: Step['state']): string {
  if (state === 'Started') return '>';
  return state === 'Failed' ? 'x' : '=';
}
