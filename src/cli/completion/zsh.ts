import type { CompletionCommand, CompletionOption } from './tree.ts';

export function zshScript(commands: readonly CompletionCommand[]): string {
  return `#compdef mooring
# zsh completion for mooring; put it in a folder of $fpath as _mooring
_mooring_containers() {
  local -a names
  names=(\${(f)"$(mooring get --all-namespaces --output name 2>/dev/null | sed 's|^container/||')"})
  compadd -a names
}

_mooring() {
  local -a commands
  local state line
  commands=(
${commands.map(({ name, description }) => `    ${quote(`${name}:${description}`)}`).join('\n')}
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

compdef _mooring mooring
`;
}

function commandCase({ name, options, args }: CompletionCommand): string {
  const rest = args === 'containers' ? "'*:container:_mooring_containers'" : args.length > 0 ? quote(`1:word:(${args.join(' ')})`) : '';
  return `        ${name}) _arguments ${[...options.map(optionSpec), rest].filter((spec) => spec !== '').join(' ')} ;;`;
}

function optionSpec({ long, short, description, value }: CompletionOption): string {
  const action = value === undefined ? '' : value === 'file' ? ':path:_files' : value === 'text' ? ':value:' : `:value:(${value.join(' ')})`;
  const body = quote(`[${description.replace(/[[\]:]/g, '\\$&')}]${action}`);
  return short === undefined ? `${long}${body}` : `'(${short} ${long})'{${short},${long}}${body}`;
}

function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
