import { type Candidates, type CompletionCommand, LISTS } from './tree.ts';

export function fishScript(commands: readonly CompletionCommand[]): string {
  const first = commands.filter(({ path }) => !path.includes(' ')).map(({ path }) => path);
  const groups = commands.filter(({ isGroup }) => isGroup).map(({ path }) => path);
  const nested = commands.filter(({ path }) => path.includes(' ')).map(({ path }) => quote(path));
  return `# fish completion for mooring; load it with: mooring completion fish | source
${Object.entries(LISTS).map(([kind, list]) => `function __mooring_${kind}\n  ${list}\nend`).join('\n')}
function __mooring_objects
  __mooring_containers; __mooring_images; __mooring_networks; __mooring_volumes
end
function __mooring_places
  __mooring_containers | string replace -r '$' ':'
  __fish_complete_path
end

# Whether the words so far name this command.
function __mooring_at
  set -l path ''
  for word in (commandline -opc)[2..-1]
    switch $path
      case ''
        contains -- $word ${first.join(' ')}; and set path $word
      case ${groups.join(' ')}
        contains -- "$path $word" ${nested.join(' ')}; and set path "$path $word"
    end
  end
  test "$path" = "$argv[1]"
end

complete -c mooring -f
${commands.filter(({ path }) => !path.includes(' ')).map(({ path, description }) => `complete -c mooring -n '__mooring_at ""' -a ${path} -d ${quote(description)}`).join('\n')}
${commands.flatMap((command) => commandLines(command, commands)).join('\n')}
`;
}

function commandLines({ path, options, args, isGroup }: CompletionCommand, all: readonly CompletionCommand[]): string[] {
  const at = `complete -c mooring -n ${quote(`__mooring_at ${quote(path)}`)}`;
  const lines = options.map(({ long, short, description, value }) => {
    const flag = `-l ${long.replace(/^--/, '')}${short === undefined ? '' : ` -s ${short.replace(/^-/, '')}`}`;
    return `${at} ${flag}${value === undefined ? '' : valueOf(value)} -d ${quote(description)}`;
  });
  if (isGroup) lines.push(...all.filter((each) => each.path.startsWith(`${path} `)).map((each) => `${at} -a ${each.path.slice(path.length + 1)} -d ${quote(each.description)}`));
  else if (args === 'files') lines.push(`${at} -F`);
  else if (typeof args !== 'string') lines.push(`${at} -a ${quote(args.join(' '))}`);
  else if (args !== 'anything') lines.push(`${at} -a '(__mooring_${args})'`);
  return lines;
}

function valueOf(value: Candidates): string {
  if (value === 'files') return ' -r -F';
  if (value === 'anything') return ' -x';
  return ` -x -a ${typeof value === 'string' ? `'(__mooring_${value})'` : quote(value.join(' '))}`;
}

function quote(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}
