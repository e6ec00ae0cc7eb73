import { Option, type Command } from 'commander';
import type { CopyOptions } from './commands/cp.ts';
import type { CommitFlags, ListOptions, NamespaceOptions } from './commands/files.ts';
import type { ImportFlags, InsertFlags } from './commands/image-archive.ts';
import { namespaceOption, outputOption } from './program-read.ts';
import { clientOf, examples, type Shell } from './shell.ts';

const NAME = 'NAME, container/NAME or NAMESPACE/NAME';
const PATH = 'an absolute path in the container';

/** The commands about files of containers: none of them needs a process in there, or that the container runs. */
export function defineFiles(program: Command, shell: Shell): void {
  const { io } = shell;
  const imageGroup = program.commands.find((command) => command.name() === 'image') ?? program.command('image');
  const files = () => import('./commands/files.ts');

  const diff = program.command('diff').description("List what a container changed of its image's files: A added, C changed, D deleted.").argument('<name>', NAME).addOption(namespaceOption()).addOption(outputOption('json', 'yaml'));
  examples(diff, ['mooring diff web', 'mooring diff web -o json']).action(async (word: string, flags: ListOptions, command: Command) => shell.finish(await (await files()).diff(clientOf(command), io, word, flags)));

  const commit = program
    .command('commit')
    .description("Make an image of a container's image and what it changed. Prints the image's ID. Mounts are not part of it.")
    .argument('<name>', NAME)
    .argument('<image>', "the new image's name, such as example/web:2")
    .addOption(namespaceOption())
    .addOption(changeOption())
    .option('-m, --message <text>', "a word on it for the image's history")
    .option('-a, --author <author>', 'who made it')
    .option('--no-pause', 'let the container run on meanwhile: what is kept may be of several moments');
  examples(commit, ['mooring commit web example/web:2', `mooring commit -c 'CMD ["sh"]' -c 'ENV LEVEL=debug' -m 'with tools' web example/web:debug`]).action(
    async (word: string, image: string, flags: CommitFlags, command: Command) => shell.finish(await (await files()).commit(clientOf(command), io, word, image, flags)),
  );

  const cp = program
    .command('cp')
    .description('Copy files between a container and this machine. Mounts of a running container are seen. "-" is a tar archive on standard input or output.')
    .argument('<source>', 'NAME:PATH, a path of this machine, or -')
    .argument('<destination>', 'a path of this machine, NAME:PATH, or -')
    .addOption(namespaceOption())
    .option('-a, --archive', 'keep the owners of the source; else everything belongs to root in a container, and to you here')
    .option('-L, --follow-link', 'if the source is a link, copy what it leads to')
    .addHelpText(
      'after',
      `
A file copied to a path that is not there gets that name, one copied to a folder its own. A folder copied to a path that is not there becomes
it, one copied to a folder comes into it; with /. behind the source only what is in it does.`,
    );
  examples(cp, ['mooring cp web:/etc/nginx/nginx.conf .', 'mooring cp -a site/. web:/srv', 'mooring cp web:/var/log - | tar -t']).action(async (source: string, destination: string, flags: CopyOptions, command: Command) =>
    shell.finish(await (await import('./commands/cp.ts')).copy(clientOf(command), io, source, destination, flags)),
  );

  const exporting = program.command('export').description('Write all files of a container as a tar archive, without what is mounted on them.').argument('<name>', NAME).addOption(namespaceOption()).option('-f, --file <file>', 'write it there (default: standard output)');
  examples(exporting, ['mooring export web -f web.tar', 'mooring export web | mooring put example/web:copy']).action(async (word: string, flags: NamespaceOptions & { file?: string }, command: Command) =>
    shell.finish(await (await files()).exportFiles(clientOf(command), io, word, flags)),
  );

  const tar = program
    .command('tar')
    .description('Write the files of a container as a tar archive; with -s only what it changed, as the archive of a layer.')
    .argument('<name>', NAME)
    .addOption(namespaceOption())
    .option('-s, --sparse', 'only the top layer, deletions as .wh. marks')
    .option('-f, --file <file>', 'write it there (default: standard output)');
  examples(tar, ['mooring tar web | tar -t', 'mooring tar -s web -f changes.tar']).action(async (word: string, { sparse, ...flags }: NamespaceOptions & { file?: string; sparse?: boolean }, command: Command) =>
    shell.finish(await (await files()).exportFiles(clientOf(command), io, word, { ...flags, changes: sparse === true })),
  );

  const ls = program
    .command('ls')
    .description('List files of a container.')
    .argument('<name>', NAME)
    .argument('[path]', PATH, '/')
    .addOption(namespaceOption())
    .option('-l, --long', 'with mode, owner, size and date')
    .addOption(outputOption('json', 'yaml'));
  examples(ls, ['mooring ls web /etc', 'mooring ls -l web /etc', 'mooring ls web /etc -o json']).action(async (word: string, path: string, flags: ListOptions & { long?: boolean }, command: Command) =>
    shell.finish(await (await files()).listFiles(clientOf(command), io, word, path, flags)),
  );

  const cat = program.command('cat').description('Print files of a container.').argument('<name>', NAME).argument('<path...>', PATH).addOption(namespaceOption());
  examples(cat, ['mooring cat web /etc/hosts']).action(async (word: string, paths: string[], flags: NamespaceOptions, command: Command) => shell.finish(await (await files()).catFiles(clientOf(command), io, word, paths, flags)));

  const reset = program.command('reset').description('Throw the file changes of a container away: it is stopped, and started again where it is wanted running. Mounts keep what they hold.').argument('<name>', NAME).addOption(namespaceOption());
  examples(reset, ['mooring reset web']).action(async (word: string, flags: NamespaceOptions, command: Command) => shell.finish(await (await files()).resetContainer(clientOf(command), word, flags)));

  const write = program
    .command('write')
    .description('Give a file of a container the content of standard input; makes it if need be.')
    .argument('<name>', NAME)
    .argument('<path>', PATH)
    .addOption(namespaceOption())
    .option('-f, --file <file>', 'the content of this file (default: standard input)');
  examples(write, ['echo hello | mooring write web /etc/motd', 'mooring write web /srv/index.html -f index.html']).action(async (word: string, path: string, flags: NamespaceOptions & { file?: string }, command: Command) =>
    shell.finish(await (await files()).writeFile(clientOf(command), io, word, path, flags)),
  );

  const archives = () => import('./commands/image-archive.ts');
  for (const importing of [program.command('import'), imageGroup.command('import')]) {
    importing
      .description('Make an image of one layer from the archive of a file system.')
      .argument('<file>', 'a tar archive, plain or compressed; - for standard input; or an address (http, https), which the daemon fetches')
      .argument('<image>', 'the name of the image')
      .addOption(changeOption())
      .option('-m, --message <text>', "a word on it for the image's history");
    examples(importing, ['mooring import rootfs.tar.gz example/base:1', `mooring import -c 'CMD ["sh"]' http://files.example/rootfs.tar example/base:1`]).action(async (file: string, image: string, flags: ImportFlags, command: Command) =>
      shell.finish(await (await archives()).importImage(clientOf(command), io, file, image, flags)),
    );
  }

  const put = program.command('put').description("Make an image from a tar archive on standard input. Prints the image's ID.").argument('<image>', 'the name of the image');
  examples(put, ['curl -s https://files.example/rootfs.tar | mooring put example/base:1']).action(async (image: string, _: unknown, command: Command) => shell.finish(await (await archives()).importImage(clientOf(command), io, '-', image, { quiet: true })));

  const insert = program
    .command('insert')
    .description("Add one file of the web to an image, as a layer; folders on the way are made. Prints the new image's ID. The name then stands for the new image.")
    .argument('<image>', 'a name such as redis:7, or an ID')
    .argument('<url>', 'where the daemon fetches the file: http or https')
    .argument('<path>', "the file's absolute path in the image")
    .option('--mode <mode>', 'its permissions, in octal', '0644')
    .option('--tag <name>', 'give the new image this name, and leave the old one its own');
  examples(insert, ['mooring insert redis:7 https://files.example/redis.conf /etc/redis.conf', 'mooring insert --mode 0755 --tag example/tools:1 busybox https://files.example/jq /usr/bin/jq']).action(
    async (image: string, url: string, path: string, flags: InsertFlags, command: Command) => shell.finish(await (await archives()).insertFile(clientOf(command), io, image, url, path, flags)),
  );
}

function changeOption(): Option {
  return new Option('-c, --change <instruction>', 'apply a Dockerfile instruction: CMD, ENTRYPOINT, ENV, EXPOSE, HEALTHCHECK, LABEL, ONBUILD, SHELL, STOPSIGNAL, USER, VOLUME, WORKDIR; may be repeated').argParser<string[]>((value, before) => [...(before ?? []), value]);
}
