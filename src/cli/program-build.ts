import { Argument, type Command, Option } from 'commander';
import type { BuildFlags } from './commands/build.ts';
import { outputOption } from './program-read.ts';
import type { OutputOptions } from './commands/image.ts';
import { clientOf, examples, type Shell } from './shell.ts';

/** `mooring build`, and what concerns its cache. */
export function defineBuilds(program: Command, shell: Shell): void {
  const { io } = shell;
  const list = (value: string, before: readonly string[]): readonly string[] => [...before, value];
  const build = program
    .command('build')
    .description('Build an image from a Dockerfile.')
    .addArgument(new Argument('<context>', 'a folder of the node, the address of a git repository, or - for a tar archive or a Dockerfile on standard input'))
    .option('-t, --tag <name>', 'a name for the image; may be repeated', list, [])
    .option('-f, --file <file>', 'the Dockerfile (default: Dockerfile in the context), or - for standard input')
    .option('--target <stage>', 'build this stage and what it needs (default: the last one)')
    .option('--build-arg <name[=value]>', 'the value of an ARG, from the environment if none is given; may be repeated', list, [])
    .option('--label <name=value>', 'a label for the image; may be repeated', list, [])
    .option('--secret <secret>', 'id=ID,src=FILE or id=ID,env=NAME, for RUN --mount=type=secret; may be repeated', list, [])
    .option('--ssh <agent>', 'default, or ID=SOCKET: an agent for RUN --mount=type=ssh; may be repeated', list, [])
    .option('-o, --output <output>', 'type=local|tar|oci|docker,dest=PATH: where the result goes besides; a bare path is a folder, - is a tar archive on standard output', list, [])
    .option('--platform <platform>', "for this platform (default: the node's)")
    .option('--no-cache', 'make every step anew')
    .option('--pull', 'ask registries for base images that are here already, too')
    .addOption(new Option('--network <network>', "for RUN: the node's default network, the node's own, or none").choices(['default', 'host', 'none']).default('default'))
    .option('--add-host <name:address>', 'a line for /etc/hosts in RUN; may be repeated', list, [])
    .option('--iidfile <file>', "write the image's ID there")
    .addOption(new Option('--progress <kind>', 'how to show it').choices(['auto', 'plain', 'tty']).default('auto'))
    .option('-q, --quiet', "print only the image's ID");
  examples(build, ['mooring build -t example.local/app:1 .', 'mooring build --target test --progress plain .', 'mooring build -t app --secret id=token,env=TOKEN https://host.example/app.git#main', 'cat Dockerfile | mooring build -o type=tar,dest=rootfs.tar -']).action(
    async (context: string, flags: BuildFlags, command: Command) => shell.finish(await (await import('./commands/build.ts')).build(clientOf(command), io, context, flags)),
  );

  const cache = program.command('build-cache').description('What builds keep to be faster the next time.');
  const usage = cache.command('usage').description('Say what it takes of the disk beyond the images.').addOption(outputOption('json', 'yaml'));
  examples(usage, ['mooring build-cache usage']).action(async (flags: OutputOptions, command: Command) => shell.finish(await (await import('./commands/build-cache.ts')).buildCacheUsage(clientOf(command), io, flags)));
  const prune = cache
    .command('prune')
    .description('Forget the steps of builds; "mooring image prune" then gives back the disk of their layers.')
    .option('--unused-hours <hours>', 'only what was not used for so long', '0')
    .option('--dry-run', 'only say what would go')
    .addOption(outputOption('json', 'yaml'));
  examples(prune, ['mooring build-cache prune --unused-hours 168']).action(async (flags: OutputOptions & { unusedHours: string; dryRun?: boolean }, command: Command) =>
    shell.finish(await (await import('./commands/build-cache.ts')).pruneBuildCache(clientOf(command), io, flags)),
  );
}
