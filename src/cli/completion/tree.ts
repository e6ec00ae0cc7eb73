import type { Command, Option } from 'commander';

/** What a word may be: names of what there is, a file of this machine, one of these words, or anything. */
export type Candidates = 'containers' | 'images' | 'networks' | 'volumes' | 'objects' | 'places' | 'files' | 'anything' | readonly string[];

export interface CompletionOption {
  readonly long: string;
  readonly short?: string;
  readonly description: string;
  /** What follows the flag; undefined for a switch. */
  readonly value?: Candidates;
}

export interface CompletionCommand {
  /** `rmi`, `image rm`. */
  readonly path: string;
  readonly description: string;
  readonly options: readonly CompletionOption[];
  /** Of a group its commands. */
  readonly args: Candidates;
  readonly isGroup: boolean;
}

/** How names of each kind are listed; the texts are commands of a shell. */
export const LISTS: Readonly<Record<'containers' | 'images' | 'networks' | 'volumes', string>> = {
  containers: "mooring get --all-namespaces --output name 2>/dev/null | sed 's|^container/||'",
  images: 'mooring images --output name 2>/dev/null',
  networks: 'mooring network ls --all-namespaces --quiet 2>/dev/null',
  volumes: 'mooring volume ls --all-namespaces --quiet 2>/dev/null',
};

const FILES = new Set(['path', 'dir', 'file', 'filename', 'context']);
const BY_NAME: Readonly<Record<string, Candidates>> = { container: 'containers', network: 'networks', volume: 'volumes', image: 'images', reference: 'images', what: 'containers' };

/** The commands as completion needs them, those of groups behind their group; read from the very tree that parses the command line. */
export function completionTree(program: Command): CompletionCommand[] {
  const below = (parent: Command, prefix: string): CompletionCommand[] =>
    parent.commands.flatMap((command) => {
      const path = `${prefix}${command.name()}`;
      const children = below(command, `${path} `);
      const options = [...command.createHelp().visibleOptions(command), ...program.options].map(optionOf);
      const args = children.length > 0 ? children.map((child) => child.path.slice(path.length + 1)) : argsOf(command, path);
      return [{ path, description: command.description().split('. ')[0]?.replace(/\.$/, '') ?? '', options, args, isGroup: children.length > 0 }, ...children];
    });
  return below(program, '');
}

function optionOf(option: Option): CompletionOption {
  const value = /[<[]([^>\]]+)[>\]]/.exec(option.flags)?.[1];
  return {
    long: option.long ?? '',
    ...(option.short !== undefined && { short: option.short }),
    description: option.description,
    ...(value !== undefined && { value: option.argChoices ?? (FILES.has(value) ? 'files' : (BY_NAME[value] ?? 'anything')) }),
  };
}

function argsOf(command: Command, path: string): Candidates {
  const [argument] = command.registeredArguments;
  if (argument === undefined) return 'anything';
  if (argument.argChoices !== undefined) return argument.argChoices;
  if (path === 'inspect') return 'objects';
  if (path === 'cp') return 'places';
  const name = argument.name();
  const [group] = path.split(' ');
  if (name === 'name') return path === 'images' || path === 'image ls' ? 'images' : group === 'network' ? 'networks' : group === 'volume' ? 'volumes' : 'containers';
  return FILES.has(name) ? 'files' : (BY_NAME[name] ?? 'anything');
}
