import type { Command, Option } from 'commander';

/** Arguments with this name are another program's command line, whose flags are not ours. */
const FOREIGN = new Set(['command', 'ps-options']);

/** Commands that Docker has below `container`, too. */
const OF_CONTAINERS = new Set(['attach', 'commit', 'cp', 'create', 'diff', 'exec', 'export', 'kill', 'logs', 'pause', 'port', 'ps', 'rename', 'restart', 'rm', 'run', 'start', 'stats', 'stop', 'top', 'unpause', 'update', 'wait']);

const TRUE = /^(1|t|true)$/i;
const FALSE = /^(0|f|false)$/i;

/**
 * The words of a command line as the parser wants them, from what Docker's takes beyond that: switches with a value (`--rm=true`, `--sig-proxy=false`), and, where a
 * command line of another program follows (`run IMAGE ls -l`), that flags behind the first word that is none are that program's.
 */
export function parserWords(given: readonly string[], program: Command): string[] {
  const words = shortForm(given, program);
  const { command, at } = commandOf(words, program);
  const rest = words.slice(at);
  const known = [...command.options, ...program.options];
  const isForeign = FOREIGN.has(command.registeredArguments.at(-1)?.name() ?? '');
  const done: string[] = words.slice(0, at);
  for (let index = 0; index < rest.length; index++) {
    const word = rest[index] ?? '';
    if (word === '--') return [...done, ...rest.slice(index)];
    if (!word.startsWith('-') || word === '-') {
      if (!isForeign) done.push(word);
      else return [...done, '--', word, ...(rest[index + 1] === '--' ? rest.slice(index + 2) : rest.slice(index + 1))];
      continue;
    }
    done.push(...switchWords(word, known));
    const takesNext = wantsNext(word, known);
    if (takesNext && index + 1 < rest.length) done.push(rest[++index] ?? '');
  }
  return done;
}

/** Docker's other names for commands: `container run` is `run`, `container ls` is `ps`. */
export function shortForm(words: readonly string[], program: Command): readonly string[] {
  const { command, at } = commandOf(words, program);
  const verb = words[at];
  if (command.name() !== 'container' || verb === undefined) return words;
  const before = words.slice(0, at - 1);
  if (verb === 'ls' || verb === 'list') return [...before, 'ps', ...words.slice(at + 1)];
  if (verb === 'inspect') return [...before, 'inspect', '--type', 'container', ...words.slice(at + 1)];
  return OF_CONTAINERS.has(verb) ? [...before, ...words.slice(at)] : words;
}

/** The command that the words name, and where its own words begin. Flags of the program before it are passed over. */
export function commandOf(words: readonly string[], program: Command): { readonly command: Command; readonly at: number } {
  let command = program;
  let at = 0;
  for (let index = 0; index < words.length; index++) {
    const word = words[index] ?? '';
    if (word === '--') break;
    if (word.startsWith('-')) {
      if (command !== program) break;
      if (wantsNext(word, program.options)) index++;
      continue;
    }
    const next = command.commands.find((each) => each.name() === word || each.aliases().includes(word));
    if (next === undefined) break;
    command = next;
    at = index + 1;
  }
  return { command, at };
}

/** `--rm=true` as `--rm`, `--rm=false` as nothing or `--no-rm`; every other word as it is. */
function switchWords(word: string, options: readonly Option[]): string[] {
  const [, long, value = ''] = /^(--[^=]+)=(.*)$/.exec(word) ?? [];
  if (long === undefined) return [word];
  const negative = `--no-${long.slice(2)}`;
  const isKnown = (name: string): boolean => options.some((each) => each.long === name && !each.required && !each.optional);
  if (!isKnown(long) && !isKnown(negative)) return [word];
  if (TRUE.test(value)) return isKnown(long) ? [long] : [];
  if (!FALSE.test(value)) return [word];
  return isKnown(negative) ? [negative] : [];
}

/** Whether a flag's value is the next word: `--name web`, `-p 80`, `-itp 80`; not `--name=web`, `-p80`. An unknown flag has none. */
function wantsNext(word: string, options: readonly Option[]): boolean {
  if (word.startsWith('--')) return options.find((each) => each.long === word)?.required === true;
  for (const [index, letter] of word.split('').entries()) {
    if (index === 0) continue;
    const option = options.find((each) => each.short === `-${letter}`);
    if (option === undefined) return false;
    if (option.required) return index === word.length - 1;
  }
  return false;
}
