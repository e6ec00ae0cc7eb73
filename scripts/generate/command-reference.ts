import type { Argument, Command } from 'commander';
import { buildProgram } from '../../src/cli/program.ts';
import { createStyle } from '../../src/cli/output/style.ts';
import type { Io } from '../../src/cli/io.ts';

/** The reference of the command line, from the very definitions that parse it. */
export function commandReference(): string {
  const program = buildProgram({ io: SILENT, finish: () => undefined });
  const commands = leavesOf(program, '');
  return [
    '# The command line',
    '',
    'Generated from the definitions in `src/cli` by `scripts/generate.ts`; "mooring COMMAND --help" says the same.',
    '',
    `Every command takes ${program.options.filter(({ hidden }) => !hidden).map((option) => `\`${option.flags}\` (${option.description})`).join(', ')}.`,
    '',
    ...exitStatuses(program),
    '',
    '| command | |',
    '| --- | --- |',
    ...commands.map(({ path, command }) => `| [${path}](#${anchorOf(path)}) | ${cell(command.description().split('. ')[0]?.replace(/\.$/, '') ?? '')} |`),
    '',
    ...commands.flatMap(({ path, command }) => sectionOf(path, command)),
  ].join('\n');
}

/** The help's own words on exit statuses. */
function exitStatuses(program: Command): string[] {
  const [, text = ''] = helpOf(program).split('\nExit status:\n');
  return ['## Exit status', '', '```', text.trimEnd(), '```'];
}

function leavesOf(parent: Command, prefix: string): { path: string; command: Command }[] {
  return parent.commands
    .flatMap((command) => {
      const path = `${prefix}${command.name()}`;
      return command.commands.length === 0 ? [{ path, command }] : leavesOf(command, `${path} `);
    })
    .toSorted((a, b) => (a.path < b.path ? -1 : 1));
}

function sectionOf(path: string, command: Command): string[] {
  const help = command.createHelp();
  const words = command.registeredArguments;
  const options = help.visibleOptions(command).filter(({ long }) => long !== '--help');
  const [, examples] = helpOf(command).split('\nExamples:\n');
  return [
    `## mooring ${path}`,
    '',
    command.description(),
    '',
    '```',
    ['mooring', path, ...(options.length > 0 ? ['[flags]'] : []), ...words.map(termOf)].join(' '),
    '```',
    '',
    ...(words.length === 0 ? [] : ['| argument | |', '| --- | --- |', ...words.map((word) => `| \`${word.name()}\` | ${cell(help.argumentDescription(word))} |`), '']),
    ...(options.length === 0 ? [] : ['| flag | |', '| --- | --- |', ...options.map((option) => `| \`${option.flags.replaceAll('|', '\\|')}\` | ${cell(help.optionDescription(option))} |`), '']),
    ...(examples === undefined ? [] : ['```sh', ...examples.trimEnd().split('\n').map((line) => line.trim()), '```', '']),
  ];
}

function termOf(word: Argument): string {
  const name = `${word.name()}${word.variadic ? '...' : ''}`;
  return word.required ? `<${name}>` : `[${name}]`;
}

function helpOf(command: Command): string {
  let text = '';
  command.configureOutput({ writeOut: (piece) => void (text += piece) }).outputHelp();
  return text;
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('<', '&lt;');
}

function anchorOf(path: string): string {
  return `mooring-${path.replaceAll(' ', '-')}`;
}

/** The definitions want one; nothing is run. */
const SILENT: Io = {
  out: () => undefined,
  err: () => undefined,
  style: createStyle(false),
  terminal: false,
  columns: () => Infinity,
  rows: () => Infinity,
  now: () => 0,
  readStdin: () => Promise.resolve(''),
  stdinBytes: () => ({ async *[Symbol.asyncIterator]() {} }),
  outBytes: () => Promise.resolve(),
};
