import type { Command } from 'commander';
import type { OutputOptions } from './commands/image.ts';
import { outputOption } from './program-read.ts';
import { clientOf, examples, type Shell } from './shell.ts';

/** `mooring system …`: the node's disk, and the daemon. */
export function defineSystem(program: Command, shell: Shell): void {
  const { io } = shell;
  const group = program.command('system').description('The node as a whole: what takes its disk, how to get it back, whether the store is sound.');

  const df = group.command('df').description('Say what takes the disk, as the file system counts it.').addOption(outputOption('json', 'yaml'));
  examples(df, ['mooring system df']).action(async (flags: OutputOptions, command: Command) => shell.finish(await (await import('./commands/system.ts')).diskUsage(clientOf(command), io, flags)));

  const prune = group
    .command('prune')
    .description('Give back the disk of what nothing holds: the cache of builds, then layers and blobs. Containers and volumes stay.')
    .option('-a, --all', 'also images that no container is made from')
    .option('-f, --force', 'as docker has it; nothing is asked anyway')
    .option('--dry-run', 'only say what would go')
    .addOption(outputOption('json', 'yaml'));
  examples(prune, ['mooring system prune --dry-run', 'mooring system prune --all']).action(async (flags: OutputOptions & { all?: boolean; dryRun?: boolean }, command: Command) =>
    shell.finish(await (await import('./commands/system.ts')).systemPrune(clientOf(command), io, flags)),
  );

  const check = group.command('check').description('Read the whole store of images, and verify every digest and reference.').addOption(outputOption('json', 'yaml'));
  examples(check, ['mooring system check']).action(async (flags: OutputOptions, command: Command) => shell.finish(await (await import('./commands/image.ts')).checkImages(clientOf(command), io, flags)));

  const info = group.command('info').description('Say how the daemon runs, and where.').addOption(outputOption('json', 'yaml'));
  examples(info, ['mooring system info', 'mooring system info -o json']).action(async (flags: OutputOptions, command: Command) => shell.finish(await (await import('./commands/system.ts')).systemInfo(clientOf(command), io, flags)));
}
