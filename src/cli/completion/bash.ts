import { type Candidates, type CompletionCommand, LISTS } from './tree.ts';

export function bashScript(commands: readonly CompletionCommand[]): string {
  const first = commands.filter(({ path }) => !path.includes(' ')).map(({ path }) => path);
  const groups = commands.filter(({ isGroup }) => isGroup).map(({ path }) => path);
  const nested = commands.filter(({ path }) => path.includes(' ')).map(({ path }) => `'${path}'`);
  return `# bash completion for mooring; load it with: source <(mooring completion bash)
${Object.entries(LISTS).map(([kind, list]) => `_mooring_${kind}() { ${list}; }`).join('\n')}
_mooring_objects() { _mooring_containers; _mooring_images; _mooring_networks; _mooring_volumes; }
_mooring_places() { _mooring_containers | sed 's|$|:|'; compgen -f -- "$1"; }

_mooring() {
  local current=\${COMP_WORDS[COMP_CWORD]} previous=\${COMP_WORDS[COMP_CWORD-1]} path= word
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case $path in
      '') case $word in ${first.join('|')}) path=$word ;; esac ;;
      ${groups.join('|')}) case "$path $word" in ${nested.join('|')}) path="$path $word" ;; esac ;;
    esac
  done
  COMPREPLY=()
  case "$path $previous" in
${commands.flatMap(valueCases).join('\n')}
  esac
  case $path in
    '') COMPREPLY=($(compgen -W '${first.join(' ')} --help --host' -- "$current")) ;;
${commands.map(commandCase).join('\n')}
  esac
}

complete -F _mooring mooring
`;
}

function valueCases({ path, options }: CompletionCommand): string[] {
  return options.flatMap(({ long, short, value }) => {
    if (value === undefined) return [];
    const patterns = [long, ...(short === undefined ? [] : [short])].map((flag) => `'${path} ${flag}'`).join('|');
    return [`    ${patterns}) ${reply(value)}; return ;;`];
  });
}

function commandCase({ path, options, args }: CompletionCommand): string {
  const flags = options.flatMap(({ long, short }) => [long, ...(short === undefined ? [] : [short])]).join(' ');
  return `    '${path}') if [[ $current == -* ]]; then COMPREPLY=($(compgen -W '${flags}' -- "$current")); else ${reply(args)}; fi ;;`;
}

function reply(candidates: Candidates): string {
  if (candidates === 'anything') return ':';
  if (candidates === 'files') return 'COMPREPLY=($(compgen -f -- "$current"))';
  const words = typeof candidates === 'string' ? `"$(_mooring_${candidates} "$current")"` : `'${candidates.join(' ')}'`;
  return `COMPREPLY=($(compgen -W ${words} -- "$current"))`;
}
