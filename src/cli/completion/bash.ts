import type { CompletionCommand } from './tree.ts';

export function bashScript(commands: readonly CompletionCommand[]): string {
  return `# bash completion for mooring; load it with: source <(mooring completion bash)
_mooring_containers() {
  mooring get --all-namespaces --output name 2>/dev/null | sed 's|^container/||'
}

_mooring() {
  local current=\${COMP_WORDS[COMP_CWORD]} previous=\${COMP_WORDS[COMP_CWORD-1]} command= word
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case $word in
      ${commands.map(({ name }) => name).join('|')}) command=$word; break ;;
    esac
  done
  COMPREPLY=()
  case "$command $previous" in
${commands.flatMap(valueCases).join('\n')}
  esac
  case $command in
    '') COMPREPLY=($(compgen -W '${commands.map(({ name }) => name).join(' ')} --help --host' -- "$current")) ;;
${commands.map(commandCase).join('\n')}
  esac
}

complete -F _mooring mooring
`;
}

function valueCases({ name, options }: CompletionCommand): string[] {
  return options.flatMap(({ long, short, value }) => {
    if (value === undefined) return [];
    const patterns = [long, ...(short === undefined ? [] : [short])].map((flag) => `'${name} ${flag}'`).join('|');
    const reply = value === 'file' ? 'COMPREPLY=($(compgen -f -- "$current"))' : value === 'text' ? ':' : `COMPREPLY=($(compgen -W '${value.join(' ')}' -- "$current"))`;
    return [`    ${patterns}) ${reply}; return ;;`];
  });
}

function commandCase({ name, options, args }: CompletionCommand): string {
  const flags = options.flatMap(({ long, short }) => [long, ...(short === undefined ? [] : [short])]).join(' ');
  const words = args === 'containers' ? '$(_mooring_containers)' : args.join(' ');
  return `    ${name}) if [[ $current == -* ]]; then COMPREPLY=($(compgen -W '${flags}' -- "$current")); else COMPREPLY=($(compgen -W "${words}" -- "$current")); fi ;;`;
}
