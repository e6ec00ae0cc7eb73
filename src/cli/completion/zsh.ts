import { type Candidates, type CompletionCommand, type CompletionOption, LISTS } from './tree.ts';

export function zshScript(commands: readonly CompletionCommand[]): string {
  return `#compdef mooring
# zsh completion for mooring; put it in a folder of $fpath as _mooring
${Object.entries(LISTS).map(([kind, list]) => `_mooring_${kind}() {\n  local -a names\n  names=(\${(f)"$(${list})"})\n  compadd -a names\n}`).join('\n')}
_mooring_objects() { _mooring_containers; _mooring_images; _mooring_networks; _mooring_volumes }
_mooring_places() { _mooring_containers; _files }

${commands.filter(({ isGroup }) => isGroup).map((group) => level(`_mooring_${group.path}`, childrenOf(group.path, commands))).join('\n')}
${level('_mooring', commands.filter(({ path }) => !path.includes(' ')))}
compdef _mooring mooring
`;
}

/** A function that completes one of these commands, and then what follows it. */
function level(name: string, commands: readonly CompletionCommand[]): string {
  return `${name}() {
  local -a commands
  local state line
  commands=(
${commands.map(({ path, description }) => `    ${quote(`${wordOf(path)}:${description.replaceAll(':', '\\:')}`)}`).join('\n')}
  )
  _arguments -C '(-H --host)'{-H,--host}'[the socket of the daemon]:address:' '1: :->command' '*:: :->arguments'
  case $state in
    command) _describe command commands ;;
    arguments)
      case $line[1] in
${commands.map(commandCase).join('\n')}
      esac ;;
  esac
}
`;
}

function commandCase({ path, options, args, isGroup }: CompletionCommand): string {
  if (isGroup) return `        ${wordOf(path)}) _mooring_${path} ;;`;
  const rest = args === 'anything' ? '' : quote(`*:word:${action(args)}`);
  return `        ${wordOf(path)}) _arguments ${[...options.map(optionSpec), rest].filter((spec) => spec !== '').join(' ')} ;;`;
}

function optionSpec({ long, short, description, value }: CompletionOption): string {
  const body = quote(`[${description.replace(/[[\]:]/g, '\\$&')}]${value === undefined ? '' : `:value:${action(value)}`}`);
  return short === undefined ? `${long}${body}` : `'(${short} ${long})'{${short},${long}}${body}`;
}

function action(candidates: Candidates): string {
  if (candidates === 'anything') return '';
  if (candidates === 'files') return '_files';
  return typeof candidates === 'string' ? `_mooring_${candidates}` : `(${candidates.join(' ')})`;
}

function childrenOf(path: string, commands: readonly CompletionCommand[]): CompletionCommand[] {
  return commands.filter((each) => each.path.startsWith(`${path} `));
}

function wordOf(path: string): string {
  return path.split(' ').at(-1) ?? path;
}

function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
