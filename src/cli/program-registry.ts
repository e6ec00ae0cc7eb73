import type { Command } from 'commander';
import type { LoginOptions, SearchFlags } from './commands/registry.ts';
import { outputOption } from './program-read.ts';
import { clientOf, examples, type Shell } from './shell.ts';

const REGISTRY = 'its host, with the port if it has one (default: that of names without one)';

/** Logins, and what registries have. */
export function defineRegistries(program: Command, shell: Shell): void {
  const { io } = shell;

  const login = program
    .command('login')
    .description('Try a login at a registry and keep it where "docker login" does. Pulls and pushes of this user then use it.')
    .argument('[registry]', REGISTRY)
    .option('-u, --username <name>', 'who logs in (default: asked for)')
    .option('--password-stdin', 'read the password from standard input (default: asked for, without showing it)');
  examples(login, ['mooring login registry.example:5000', 'cat token | mooring login -u robot --password-stdin registry.example:5000']).action(async (registry: string | undefined, flags: LoginOptions, command: Command) =>
    shell.finish(await (await import('./commands/registry.ts')).login(clientOf(command), io, registry, flags)),
  );

  const logout = program.command('logout').description('Forget the login for a registry.').argument('[registry]', REGISTRY);
  examples(logout, ['mooring logout registry.example:5000']).action(async (registry: string | undefined, _: unknown, command: Command) => shell.finish(await (await import('./commands/registry.ts')).logout(clientOf(command), io, registry)));

  const search = program
    .command('search')
    .description("Search a registry for repositories: by its index where it has one, else in its catalog's names.")
    .argument('<term>', 'a part of the name, with the registry before a slash: registry.example:5000/redis')
    .option('--limit <number>', 'show at most so many', '25')
    .option('--no-trunc', 'whole descriptions')
    .option('--format <template>', 'each in this form: a Go template, json, or "table TEMPLATE"')
    .addOption(outputOption('json', 'yaml'));
  examples(search, ['mooring search registry.example:5000/redis']).action(async (term: string, flags: SearchFlags, command: Command) =>
    shell.finish(await (await import('./commands/registry.ts')).search(clientOf(command), io, term, flags)),
  );
}
