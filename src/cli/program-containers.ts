import { Option, type Command } from 'commander';
import type { RemoveFlags, StopFlags } from './commands/docker/lifecycle.ts';
import type { StartFlags } from './commands/docker/start.ts';
import { addRunFlags } from './program-run-flags.ts';
import { detachKeysOption } from './program-streams.ts';
import { dockerOf, examples, type Shell } from './shell.ts';

export const CONTAINER = 'a name, an ID, or the beginning of one';

/** Docker's commands that make containers and change what runs. */
export function defineContainers(program: Command, shell: Shell): void {
  const { io } = shell;
  const lifecycle = () => import('./commands/docker/lifecycle.ts');

  const run = program.command('run').description('Make a container of an image, start it, and join it. Exits as it does.');
  addRunFlags(run.argument('<image>', 'a name such as redis:7, or an ID').argument('[command...]', "instead of the image's; its flags are its own"))
    .option('-d, --detach', 'leave it to itself, and print its ID')
    .option('--sig-proxy', 'pass signals on where it has no terminal', true)
    .option('--no-sig-proxy', 'signals are for this command')
    .addOption(detachKeysOption());
  examples(run, ['mooring run --rm -it busybox sh', 'mooring run -d --name web -p 8080:80 -v data:/data --restart unless-stopped example/web:1', 'mooring run --rm -m 64m --cpus 0.5 -e LEVEL=debug --env-file app.env busybox env']).action(
    async (image: string, words: string[], flags: Record<string, unknown>, command: Command) => shell.finish(await (await import('./commands/docker/run.ts')).run(dockerOf(command), io, image, words, flags)),
  );

  const create = program.command('create').description('Make a container of an image without starting it. Prints its ID.');
  addRunFlags(create.argument('<image>', 'a name such as redis:7, or an ID').argument('[command...]', "instead of the image's; its flags are its own"));
  examples(create, ['mooring create --name job -v /srv/data:/data:ro busybox ls /data']).action(async (image: string, words: string[], flags: Record<string, unknown>, command: Command) =>
    shell.finish(await (await import('./commands/docker/run.ts')).create(dockerOf(command), io, image, words, flags)),
  );

  const start = program
    .command('start')
    .description('Start containers that were made or have ended.')
    .argument('<name...>', CONTAINER)
    .option('-a, --attach', 'join it, and exit as it does')
    .option('-i, --interactive', 'join its standard input, too')
    .option('--sig-proxy', 'pass signals on where it has no terminal', true)
    .option('--no-sig-proxy', 'signals are for this command')
    .addOption(detachKeysOption());
  examples(start, ['mooring start web', 'mooring start -ai job']).action(async (names: string[], flags: StartFlags, command: Command) => shell.finish(await (await import('./commands/docker/start.ts')).start(dockerOf(command), io, names, flags)));

  for (const [verb, description] of [['stop', 'Stop containers: by their stop signal, and by force when time is up.'], ['restart', 'Stop containers, and start them again.']] as const) {
    const command = program
      .command(verb)
      .description(description)
      .argument('<name...>', CONTAINER)
      .option('-t, --timeout <seconds>', 'how long it may take; -1 for ever (default: what the container was made with, else 10)')
      .addOption(new Option('--time <seconds>', '--timeout').hideHelp())
      .option('-s, --signal <signal>', 'instead of its stop signal');
    examples(command, [`mooring ${verb} web`, `mooring ${verb} -t 30 -s SIGQUIT web`]).action(async (names: string[], flags: StopFlags, parsed: Command) => shell.finish(await (await lifecycle()).stopOrRestart(dockerOf(parsed), io, verb, names, flags)));
  }

  const kill = program.command('kill').description('Send a signal to the first process of containers.').argument('<name...>', CONTAINER).option('-s, --signal <signal>', 'which (default: SIGKILL)');
  examples(kill, ['mooring kill web', 'mooring kill -s HUP web']).action(async (names: string[], flags: { signal?: string }, command: Command) => shell.finish(await (await lifecycle()).kill(dockerOf(command), io, names, flags)));

  for (const [verb, description] of [['pause', 'Freeze all processes of containers.'], ['unpause', 'Let the processes of containers go on.']] as const) {
    const command = program.command(verb).description(description).argument('<name...>', CONTAINER);
    examples(command, [`mooring ${verb} web`]).action(async (names: string[], _: unknown, parsed: Command) => shell.finish(await (await lifecycle()).pauseOrUnpause(dockerOf(parsed), io, verb, names)));
  }

  const remove = program
    .command('rm')
    .description('Remove containers that do not run. What a folder or a cluster says is removed there.')
    .argument('<name...>', CONTAINER)
    .option('-f, --force', 'also one that runs')
    .option('-v, --volumes', 'with its volumes without a name')
    .option('-l, --link', 'the link of this name, not the container');
  examples(remove, ['mooring rm web', 'mooring rm -fv web job']).action(async (names: string[], flags: RemoveFlags, command: Command) => shell.finish(await (await lifecycle()).remove(dockerOf(command), io, names, flags)));

  const rename = program.command('rename').description('Give a container another name.').argument('<name>', CONTAINER).argument('<new-name>', 'its name from now on');
  examples(rename, ['mooring rename web web-old']).action(async (name: string, to: string, _: unknown, command: Command) => shell.finish(await (await lifecycle()).rename(dockerOf(command), name, to)));

  const wait = program.command('wait').description('Wait until containers have ended, and print their exit statuses.').argument('<name...>', CONTAINER);
  examples(wait, ['mooring wait job']).action(async (names: string[], _: unknown, command: Command) => shell.finish(await (await lifecycle()).wait(dockerOf(command), io, names)));
}
