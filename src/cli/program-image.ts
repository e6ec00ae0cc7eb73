import { Argument, Option, type Command } from 'commander';
import type { BootstrapFlags } from './commands/bootstrap.ts';
import type { ImagesFlags } from './commands/docker/images.ts';
import type { OutputOptions, PruneFlags } from './commands/image.ts';
import { outputOption } from './program-read.ts';
import { repeated } from './repeated.ts';
import { clientOf, dockerOf, examples, type Shell } from './shell.ts';

const IMAGE = 'a name such as redis:7, or an ID';

/** `mooring image …`, and the short forms that Docker has. */
export function defineImages(program: Command, shell: Shell): void {
  const { io } = shell;
  const group = program.command('image').description('Images: list, pull, push, tag, remove, save, load, check.');

  for (const list of [program.command('images'), group.command('ls')]) {
    list
      .description('List the images of the node.')
      .argument('[name]', 'only of this name: redis, redis:7')
      .option('-a, --all', 'also those that only others are made of')
      .option('-q, --quiet', 'only IDs')
      .option('--digests', 'with the digests of their manifests')
      .option('--no-trunc', 'whole IDs')
      .addOption(repeated('-f, --filter <filter>', 'only these: dangling=true, label=KEY[=VALUE], reference=PATTERN, before=IMAGE, since=IMAGE; may be repeated'))
      .option('--format <template>', 'each in this form: a Go template, json, or "table TEMPLATE"')
      .addOption(outputOption('json', 'yaml', 'wide', 'name'));
    examples(list, ['mooring images', 'mooring images -f dangling=true -q', 'mooring images -o wide']).action(async (name: string | undefined, flags: ImagesFlags & OutputOptions, command: Command) => {
      if (flags.output === undefined) shell.finish(await (await import('./commands/docker/images.ts')).images(dockerOf(command), io, name, flags));
      else shell.finish(await (await import('./commands/image.ts')).listImages(clientOf(command), io, flags));
    });
  }
  for (const pull of [program.command('pull'), group.command('pull')]) {
    pull
      .description('Fetch an image from its registry, with the login that "login" left, or else the daemon\'s own.')
      .argument('<reference>', 'such as redis, registry.example:5000/team/app:1.2, app@sha256:…')
      .option('--platform <platform>', "of several, this one (default: the node's): linux/arm64")
      .option('-q, --quiet', "print only the image's ID");
    examples(pull, ['mooring pull redis:7', 'mooring pull --platform linux/arm64 alpine']).action(async (reference: string, flags: { platform?: string; quiet?: boolean }, command: Command) =>
      shell.finish(await (await import('./commands/image-transfer.ts')).pullImage(clientOf(command), io, reference, flags)),
    );
  }

  for (const push of [program.command('push'), group.command('push')]) {
    push.description('Send an image to the registry in its name.').argument('<reference>', 'its name, with the registry').option('-q, --quiet', "print only the manifest's digest");
    examples(push, ['mooring push registry.example:5000/team/app:1.2']).action(async (reference: string, flags: { quiet?: boolean }, command: Command) =>
      shell.finish(await (await import('./commands/image-transfer.ts')).pushImage(clientOf(command), io, reference, flags)),
    );
  }

  for (const tag of [program.command('tag'), group.command('tag')]) {
    tag.description('Give an image one more name.').argument('<image>', IMAGE).argument('<name>', 'the new name');
    examples(tag, ['mooring tag redis:7 registry.example:5000/redis:7']).action(async (image: string, name: string, _: unknown, command: Command) => shell.finish(await (await import('./commands/image.ts')).tagImage(clientOf(command), image, name)));
  }

  for (const remove of [program.command('rmi'), group.command('rm')]) {
    remove.description('Take a name away, or by ID all names. What nothing holds any more goes with "mooring image prune".').argument('<image...>', IMAGE).option('-f, --force', 'even though containers are made from it');
    examples(remove, [remove.name() === 'rmi' ? 'mooring rmi redis:7' : 'mooring image rm redis:7']).action(async (images: string[], flags: { force?: boolean }, command: Command) => shell.finish(await (await import('./commands/image.ts')).removeImages(clientOf(command), io, images, flags)));
  }

  const inspect = group.command('inspect').description('Show everything about an image.').argument('<image>', IMAGE).option('-f, --format <template>', 'what the Docker API tells of images, in this form: a Go template, or json').addOption(outputOption('json', 'yaml'));
  examples(inspect, ['mooring image inspect redis:7', "mooring image inspect -f '{{.Config.Cmd}}' redis:7"]).action(async (image: string, flags: OutputOptions & { format?: string }, command: Command) =>
    shell.finish(
      flags.format === undefined
        ? await (await import('./commands/image.ts')).inspectImage(clientOf(command), io, image, flags)
        : await (await import('./commands/docker/inspect.ts')).inspect(dockerOf(command), io, [image], { format: flags.format, type: 'image' }),
    ),
  );

  const history = group.command('history').description('Show how an image was made, newest step first.').argument('<image>', IMAGE).addOption(outputOption('json', 'yaml'));
  examples(history, ['mooring image history redis:7']).action(async (image: string, flags: OutputOptions, command: Command) => shell.finish(await (await import('./commands/image.ts')).imageHistory(clientOf(command), io, image, flags)));

  for (const save of [program.command('save'), group.command('save')]) {
    save
      .description('Write images as a tar archive that "docker load" and readers of OCI layouts take.')
      .argument('<image...>', IMAGE)
      .option('-o, --output <file>', 'write it there (default: standard output)')
      .addOption(new Option('-f, --file <file>', '--output').hideHelp())
      .addOption(new Option('--format <format>', 'oci leaves out what only Docker reads').choices(['docker', 'oci']).default('docker'));
    examples(save, ['mooring save redis:7 -o redis.tar', 'mooring save redis:7 | ssh other mooring load']).action(async (images: string[], { output, file = output, format }: { output?: string; file?: string; format: string }, command: Command) =>
      shell.finish(await (await import('./commands/image-archive.ts')).saveImages(clientOf(command), io, images, { format, ...(file !== undefined && { file }) })),
    );
  }

  for (const load of [program.command('load'), group.command('load')]) {
    load
      .description('Take in the images of an archive of "docker save", of an OCI layout, or of "mooring save".')
      .addArgument(new Argument('[file]', 'a file, plain or compressed (default: standard input)'))
      .option('-i, --input <file>', 'the same')
      .option('-q, --quiet', 'as docker has it; nothing is shown on the way anyway');
    examples(load, ['mooring load -i redis.tar', 'docker save redis:7 | mooring load']).action(async (file: string | undefined, { input }: { input?: string }, command: Command) => shell.finish(await (await import('./commands/image-archive.ts')).loadImages(clientOf(command), io, input ?? file)));
  }

  const bootstrap = group
    .command('bootstrap')
    .description("Make an image of a distribution's packages, without any registry. The node's mmdebstrap does the work.")
    .addArgument(new Argument('<distribution>').choices(['debian']))
    .argument('[name]', 'the name of the image (default: mooring.local/debian:SUITE)')
    .requiredOption('--suite <suite>', 'such as bookworm, stable, sid')
    .option('--variant <variant>', 'how much of it: minbase, essential, apt, important, standard', 'minbase')
    .option('--mirror <address>', "where the packages come from (default: as the node's own apt is set up)")
    .option('--include <packages>', 'more packages, separated by commas');
  examples(bootstrap, ['mooring image bootstrap debian --suite stable', 'mooring image bootstrap debian --suite bookworm --include redis-server example.local/redis:1']).action(
    async (_: string, name: string | undefined, flags: BootstrapFlags, command: Command) => shell.finish(await (await import('./commands/bootstrap.ts')).bootstrap(clientOf(command), io, name, flags)),
  );

  const prune = group
    .command('prune')
    .description('Give back the disk of layers and blobs that nothing holds.')
    .option('-a, --all', 'also of images that no container is made from')
    .option('-f, --force', 'as docker has it; nothing is asked anyway')
    .addOption(repeated('--filter <filter>', 'of these, only until=SPAN or until=TIME (made before), label=KEY or label=KEY=VALUE; may be repeated'))
    .option('--dry-run', 'only say what would go')
    .addOption(outputOption('json', 'yaml'));
  examples(prune, ['mooring image prune --dry-run', 'mooring image prune --all']).action(async (flags: PruneFlags, command: Command) => shell.finish(await (await import('./commands/image.ts')).pruneImages(clientOf(command), io, flags)));

  const usage = group.command('usage').description('Say what images take of the disk.').addOption(outputOption('json', 'yaml'));
  examples(usage, ['mooring image usage']).action(async (flags: OutputOptions, command: Command) => shell.finish(await (await import('./commands/image.ts')).imageUsage(clientOf(command), io, flags)));

  const check = group.command('check').description('Read the whole store, and verify every digest and reference.').addOption(outputOption('json', 'yaml'));
  examples(check, ['mooring image check']).action(async (flags: OutputOptions, command: Command) => shell.finish(await (await import('./commands/image.ts')).checkImages(clientOf(command), io, flags)));
}
