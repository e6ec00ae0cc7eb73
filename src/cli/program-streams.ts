import { Option, type Command } from 'commander';
import type { AttachOptions } from './commands/attach.ts';
import type { ExecOptions } from './commands/exec.ts';
import { namespaceOption } from './program-read.ts';
import { repeated } from './repeated.ts';
import { clientOf, examples, type Shell } from './shell.ts';

/** The commands that join the terminal to a container. */
export function defineStreams(program: Command, shell: Shell): void {
  const { io } = shell;

  const attach = program
    .command('attach')
    .description("Join a container's terminal or standard streams from now on. Its input is joined where spec.stdin keeps it open.")
    .argument('<name>', 'NAME, container/NAME, NAMESPACE/NAME or an ID')
    .addOption(namespaceOption())
    .option('--no-stdin', 'only watch')
    .option('--sig-proxy', 'pass signals on to a container without a terminal', true)
    .option('--no-sig-proxy', 'signals are for this command')
    .addOption(detachKeysOption());
  examples(attach, ['mooring attach web', 'mooring attach --no-stdin --sig-proxy=false web', 'mooring attach --detach-keys ctrl-] web']).action(async (word: string, flags: AttachOptions, command: Command) => {
    const action = await import('./commands/attach.ts');
    shell.finish(await action.attach(clientOf(command), io, word, flags));
  });

  const exec = program
    .command('exec')
    .description('Run one more process in a running container.')
    .argument('<name>', 'NAME, container/NAME, NAMESPACE/NAME or an ID')
    .argument('<command...>', 'the program and its arguments; its flags are its own')
    .addOption(namespaceOption())
    .option('-d, --detach', 'only start it: it runs on by itself')
    .option('-i, --interactive', 'pass standard input on')
    .option('-t, --tty', 'give it a terminal')
    .addOption(repeated('-e, --env <name=value>', "set a variable; NAME alone takes this command's; may be repeated"))
    .addOption(repeated('--env-file <file>', 'variables, NAME=VALUE a line; may be repeated'))
    .option('--privileged', 'refused: what a container may is fixed when it is made')
    .option('-w, --workdir <path>', 'the folder to start in')
    .option('-u, --user <user>', 'who to run as: uid, uid:gid, name or name:group')
    .addOption(detachKeysOption());
  examples(exec, ['mooring exec web ls -l /', 'mooring exec -it web sh', 'mooring exec -d web -- /bin/reindex', 'mooring exec -e LEVEL=debug -w /tmp -u 1000 web env']).action(
    async (word: string, words: string[], flags: ExecOptions, command: Command) => {
      const action = await import('./commands/exec.ts');
      shell.finish(await action.exec(clientOf(command), io, word, words, flags));
    },
  );
}

export function detachKeysOption(): Option {
  return new Option('--detach-keys <keys>', 'keys that detach from a terminal, with commas between them').default('ctrl-p,ctrl-q');
}
