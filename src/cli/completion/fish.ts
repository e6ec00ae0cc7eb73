import type { CompletionCommand } from './tree.ts';

export function fishScript(commands: readonly CompletionCommand[]): string {
  const names = commands.map(({ name }) => name).join(' ');
  return `# fish completion for mooring; load it with: mooring completion fish | source
function __mooring_containers
  mooring get --all-namespaces --output name 2>/dev/null | string replace -r '^container/' ''
end

complete -c mooring -f
${commands.map(({ name, description }) => `complete -c mooring -n 'not __fish_seen_subcommand_from ${names}' -a ${name} -d ${quote(description)}`).join('\n')}
${commands.flatMap(commandLines).join('\n')}
`;
}

function commandLines({ name, options, args }: CompletionCommand): string[] {
  const seen = `complete -c mooring -n '__fish_seen_subcommand_from ${name}'`;
  const lines = options.map(({ long, short, description, value }) => {
    const flag = `-l ${long.replace(/^--/, '')}${short === undefined ? '' : ` -s ${short.replace(/^-/, '')}`}`;
    const action = value === undefined ? '' : value === 'file' ? ' -r -F' : value === 'text' ? ' -x' : ` -x -a ${quote(value.join(' '))}`;
    return `${seen} ${flag}${action} -d ${quote(description)}`;
  });
  if (args === 'containers') lines.push(`${seen} -a '(__mooring_containers)'`);
  else if (args.length > 0) lines.push(`${seen} -a ${quote(args.join(' '))}`);
  return lines;
}

function quote(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}
