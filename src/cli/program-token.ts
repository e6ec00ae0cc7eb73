import type { Command } from 'commander';
import type { CreateTokenOptions } from './commands/token.ts';
import type { OutputFormat } from './commands/get.ts';
import { outputOption } from './program-read.ts';
import { repeated } from './repeated.ts';
import { clientOf, examples, type Shell } from './shell.ts';

/** `mooring token …`: who may use the Docker API with less than all of it. */
export function defineTokens(program: Command, shell: Shell): void {
  const { io } = shell;
  const group = program.command('token').description('Tokens for the Docker API: what their bearers may do, and with which containers ("mooring daemon --docker-tokens").');

  const create = group
    .command('create')
    .description('Make a token, and print it, this once. What it is not for, it does not allow.')
    .argument('<name>', 'what it is listed and revoked by')
    .addOption(repeated('--verb <verb>', 'read (list, inspect, logs, stats), exec (run, attach, copy files) or write (start, stop, kill, pause, remove); may be repeated').makeOptionMandatory())
    .addOption(repeated('--container <name>', 'containers it is for, by name or pattern, such as "web-*"; may be repeated').makeOptionMandatory())
    .addOption(repeated('-n, --namespace <name>', "the containers' namespace (default: default); may be repeated"))
    .option('--expires <span>', 'how long it is good for, such as 24h (default: until it is revoked)')
    .addOption(outputOption('json', 'yaml'));
  examples(create, ['mooring token create logs --verb read --container "*" --expires 24h', 'mooring token create deploy --verb read,write --container "web-*" --namespace shop']).action(async (name: string, flags: CreateTokenOptions, command: Command) =>
    shell.finish(await (await import('./commands/token.ts')).createToken(clientOf(command), io, name, flags)),
  );

  const list = group.command('list').alias('ls').description('List the tokens, what they are for, and until when.').addOption(outputOption('json', 'yaml'));
  examples(list, ['mooring token list']).action(async (flags: { output?: OutputFormat }, command: Command) => shell.finish(await (await import('./commands/token.ts')).listTokens(clientOf(command), io, flags)));

  const revoke = group.command('revoke').alias('rm').description('Take tokens back: from the next request on they allow nothing.').argument('<name...>', 'as listed');
  examples(revoke, ['mooring token revoke logs']).action(async (names: string[], _: unknown, command: Command) => shell.finish(await (await import('./commands/token.ts')).revokeTokens(clientOf(command), io, names)));
}
