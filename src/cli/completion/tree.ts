import type { Command } from 'commander';

export interface CompletionOption {
  readonly long: string;
  readonly short?: string;
  readonly description: string;
  /** What follows the flag; undefined for a switch. */
  readonly value?: 'file' | 'text' | readonly string[];
}

export interface CompletionCommand {
  readonly name: string;
  readonly description: string;
  readonly options: readonly CompletionOption[];
  /** What its arguments are: names of containers, fixed words, or nothing. */
  readonly args: 'containers' | readonly string[];
}

const FILE_VALUES = new Set(['path', 'dir', 'file']);

/** The commands as completion needs them, read from the very tree that parses the command line. */
export function completionTree(program: Command): CompletionCommand[] {
  const help = program.createHelp();
  return help.visibleCommands(program).map((command) => ({
    name: command.name(),
    description: command.description().split('. ')[0]?.replace(/\.$/, '') ?? '',
    options: [...help.visibleOptions(command), ...program.options].map((option) => {
      const value = /[<[]([^>\]]+)[>\]]/.exec(option.flags)?.[1];
      return {
        long: option.long ?? '',
        ...(option.short !== undefined && { short: option.short }),
        description: option.description,
        ...(value !== undefined && { value: option.argChoices ?? (FILE_VALUES.has(value) ? 'file' : 'text') }),
      };
    }),
    args: argsOf(command, help.visibleCommands(command).map((each) => each.name())),
  }));
}

function argsOf(command: Command, below: readonly string[]): 'containers' | readonly string[] {
  const [argument] = command.registeredArguments;
  return argument === undefined ? below : (argument.argChoices ?? 'containers');
}
