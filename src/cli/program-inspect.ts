import { Argument, type Command } from 'commander';
import type { HistoryFlags } from './commands/docker/images.ts';
import type { InfoFlags } from './commands/docker/info.ts';
import type { InspectFlags } from './commands/docker/inspect.ts';
import type { StatsFlags } from './commands/docker/stats.ts';
import { LIMIT_FLAGS } from './limit-flags.ts';
import { repeated } from './repeated.ts';
import { CONTAINER } from './program-containers.ts';
import { outputOption } from './program-read.ts';
import { dockerOf, examples, type Shell } from './shell.ts';

const FORMAT = 'a Go template';

/** Docker's commands that look at containers, images and the node, and `update`. */
export function defineInspection(program: Command, shell: Shell): void {
  const { io } = shell;

  const inspect = program
    .command('inspect')
    .description('Show everything about containers, images, networks or volumes, as JSON.')
    .argument('<name...>', 'a name, an ID, or the beginning of one')
    .option('-f, --format <template>', `in this form: ${FORMAT}, or json for one line`)
    .option('-s, --size', 'with the sizes of containers')
    .option('--type <type>', 'only a container, image, network or volume of that name')
    .addOption(outputOption('json', 'yaml'));
  examples(inspect, ['mooring inspect web', "mooring inspect -f '{{.State.Status}}' web", "mooring inspect --type image -f '{{json .Config.Env}}' redis:7"]).action(async (names: string[], flags: InspectFlags, command: Command) =>
    shell.finish(await (await import('./commands/docker/inspect.ts')).inspect(dockerOf(command), io, names, flags)),
  );

  const port = program.command('port').description('Say where the ports of a container are published.').argument('<name>', CONTAINER).argument('[port]', 'only of this one: 80, 53/udp');
  examples(port, ['mooring port web', 'mooring port web 80']).action(async (name: string, wanted: string | undefined, _: unknown, command: Command) => shell.finish(await (await import('./commands/docker/details.ts')).port(dockerOf(command), io, name, wanted)));

  const top = program
    .command('top')
    .description('Show what all containers take of processors and memory, live on a terminal; of one container its processes.')
    .addArgument(new Argument('[name]', CONTAINER))
    .argument('[ps-options...]', 'as ps(1) has them');
  examples(top, ['mooring top', 'mooring top web', 'mooring top web -o pid,args']).action(async (name: string | undefined, options: string[], _: unknown, command: Command) =>
    shell.finish(name === undefined ? await (await import('./commands/docker/stats.ts')).top(dockerOf(command), io) : await (await import('./commands/docker/details.ts')).processes(dockerOf(command), io, name, options)),
  );

  const stats = program
    .command('stats')
    .description('Show what containers take of processors, memory, network and disk, again and again.')
    .argument('[name...]', `${CONTAINER} (default: all that run)`)
    .option('-a, --all', 'with --no-stream, also those that do not run')
    .option('--no-stream', 'once')
    .option('--no-trunc', 'whole IDs')
    .option('--format <template>', `each in this form: ${FORMAT}, json, or "table TEMPLATE"`);
  examples(stats, ['mooring stats', 'mooring stats --no-stream web', "mooring stats --no-stream --format '{{.Name}} {{.CPUPerc}}'"]).action(async (names: string[], flags: StatsFlags, command: Command) =>
    shell.finish(await (await import('./commands/docker/stats.ts')).stats(dockerOf(command), io, names, flags)),
  );

  const update = program
    .command('update')
    .description('Change containers that are there. Limits and the restart policy change at once; another image, environment, ports or volumes replace what runs.')
    .argument('<name...>', CONTAINER);
  for (const [flags, description] of UPDATES) update.option(flags, description);
  for (const [flags, description] of REVISIONS) update.addOption(repeated(flags, `${description}; may be repeated`));
  examples(update, ['mooring update -m 128m --cpus 0.5 web', 'mooring update --restart unless-stopped web', 'mooring update --image example/web:2 -e LEVEL=debug -p 8080:80 web']).action(async (names: string[], flags: Record<string, unknown>, command: Command) =>
    shell.finish(await (await import('./commands/docker/update.ts')).update(dockerOf(command), io, names, flags)),
  );

  const info = program
    .command('info')
    .description('Say what the node has and how its engine works.')
    .option('-f, --format <template>', `in this form: ${FORMAT}, or json`)
    .addOption(outputOption('json', 'yaml'));
  examples(info, ['mooring info', "mooring info -f '{{.ContainersRunning}}'"]).action(async (flags: InfoFlags, command: Command) => shell.finish(await (await import('./commands/docker/info.ts')).info(dockerOf(command), io, flags)));

  const history = program
    .command('history')
    .description('Show how an image was made, the newest step first.')
    .argument('<image>', 'a name such as redis:7, or an ID')
    .option('--human', 'sizes and dates for people', true)
    .option('--no-human', 'bytes and dates as they are')
    .option('--no-trunc', 'whole IDs and commands')
    .option('-q, --quiet', 'only IDs')
    .option('--format <template>', `each in this form: ${FORMAT}, json, or "table TEMPLATE"`);
  examples(history, ['mooring history redis:7', 'mooring history --no-trunc redis:7']).action(async (name: string, flags: HistoryFlags, command: Command) => shell.finish(await (await import('./commands/docker/images.ts')).history(dockerOf(command), io, name, flags)));

  const container = program.command('container').description('Containers: what "mooring VERB" does, as "mooring container VERB", and prune.');
  const prune = container.command('prune').description('Remove all containers that do not run. What a folder or a cluster says stays.').option('-f, --force', 'as docker has it; nothing is asked anyway').addOption(repeated('--filter <filter>', 'only these: until=24h, label=KEY[=VALUE]; may be repeated'));
  examples(prune, ['mooring container prune', 'mooring container prune --filter until=24h']).action(async (flags: { filter?: string[] }, command: Command) => shell.finish(await (await import('./commands/docker/prune.ts')).pruneContainers(dockerOf(command), io, flags)));
}

const UPDATES: readonly (readonly [flags: string, description: string])[] = [
  ...LIMIT_FLAGS,
  ['--restart <policy>', 'no, always, unless-stopped, on-failure or on-failure:COUNT'],
  ['--image <image>', 'run this image from now on; it is fetched where it is missing'],
];

const REVISIONS: readonly (readonly [flags: string, description: string])[] = [
  ['-e, --env <name=value>', "set a variable; NAME alone takes this command's, or the variable away"],
  ['--env-file <file>', 'variables, NAME=VALUE a line'],
  ['-p, --publish <port>', '[ADDRESS:]HOST PORT:PORT[/udp], in place of what led to that port'],
  ['-v, --volume <volume>', 'SOURCE:/TARGET[:ro], in place of what was mounted there'],
];
