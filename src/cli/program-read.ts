import { Option, type Command } from 'commander';
import { MooringError } from '../lib/errors.ts';
import type { DescribeOptions } from './commands/describe.ts';
import type { EngineEventsFlags } from './commands/docker/events.ts';
import type { EventsOptions } from './commands/events.ts';
import type { PsFlags } from './commands/docker/ps.ts';
import type { ExplainOptions } from './commands/explain.ts';
import type { GetOptions, OutputFormat } from './commands/get.ts';
import type { LogsOptions } from './commands/logs.ts';
import { isConfigKind, kindOf } from './name.ts';
import { clientOf, dockerOf, examples, type Shell } from './shell.ts';
import { repeated } from './repeated.ts';

interface ListFlags {
  readonly namespace: string;
  readonly allNamespaces?: boolean;
  readonly output?: OutputFormat;
  readonly watch?: boolean;
}

const NAME = 'NAME, container/NAME or NAMESPACE/NAME';

/** The commands that only look. */
export function defineReading(program: Command, shell: Shell): void {
  const { io } = shell;

  const ps = program
    .command('ps')
    .description('List containers that run. "mooring get" says how they stand to what is wanted.')
    .option('-a, --all', 'also those that do not run')
    .option('-q, --quiet', 'only IDs')
    .addOption(repeated('-f, --filter <filter>', 'only these: status=exited, name=web, label=KEY[=VALUE], ancestor=IMAGE, …; may be repeated'))
    .option('-n, --last <number>', 'only the last so many that were made, whether they run or not')
    .option('-l, --latest', 'only the last')
    .option('-s, --size', 'with what they wrote')
    .option('--no-trunc', 'whole IDs and commands')
    .option('--format <template>', 'each in this form: a Go template, json, or "table TEMPLATE"')
    .addOption(outputOption('json', 'yaml', 'wide', 'name'))
    .option('-w, --watch', 'all of them, as "mooring get" shows them: go on, and show each change');
  examples(ps, ['mooring ps', 'mooring ps -a --filter status=exited', "mooring ps --format 'table {{.Names}}\\t{{.Ports}}'", 'mooring ps -o wide', 'mooring ps --watch']).action(async (flags: PsFlags & ListFlags, command: Command) => {
    if (flags.output === undefined && flags.watch !== true) shell.finish(await (await import('./commands/docker/ps.ts')).ps(dockerOf(command), io, flags));
    else shell.finish(await list(command, shell, [], { ...flags, namespace: 'default', allNamespaces: true }));
  });

  const get = program
    .command('get')
    .description('List containers, networks, volumes, configmaps or secrets, or show some by name; of containers with the documents that were not accepted.')
    .argument('[what...]', '"containers", "networks", "volumes", "configmaps", "secrets", NAME, KIND/NAME or NAMESPACE/NAME')
    .addOption(namespaceOption())
    .option('-A, --all-namespaces', 'of all namespaces')
    .addOption(outputOption('json', 'yaml', 'wide', 'name'))
    .option('-w, --watch', 'go on, and show each change');
  examples(get, ['mooring get containers', 'mooring get -A -o wide', 'mooring get container/web -o yaml', 'mooring get web -n default -o json', 'mooring get networks', 'mooring get volume/data -o yaml', 'mooring get secrets']).action(
    async (words: string[], flags: ListFlags, command: Command) => shell.finish(await list(command, shell, words, flags)),
  );

  const describe = program
    .command('describe')
    .description('Show everything about containers, networks, volumes, configmaps or secrets: state, conditions, problems, events; of secrets no value.')
    .argument('<name...>', 'NAME, KIND/NAME or NAMESPACE/NAME')
    .addOption(namespaceOption())
    .addOption(outputOption('json', 'yaml', 'wide'));
  examples(describe, ['mooring describe web', 'mooring describe default/web -o json', 'mooring describe network/back', 'mooring describe secret/db']).action(async (words: string[], flags: DescribeOptions, command: Command) => {
    const kind = kindOf(words);
    if (kind === 'Container') shell.finish(await (await import('./commands/describe.ts')).describe(clientOf(command), io, words, flags));
    else if (isConfigKind(kind)) shell.finish(await (await import('./commands/config.ts')).describeConfigs(clientOf(command), io, kind, words, flags));
    else shell.finish(await (await import('./commands/describe-supply.ts')).describeSupplies(clientOf(command), io, kind, words, flags));
  });

  const logs = program
    .command('logs')
    .description('Print what a container wrote.')
    .argument('<name>', `${NAME}, or an ID`)
    .option('--namespace <namespace>', 'the namespace of bare names', 'default')
    .option('-f, --follow', 'go on as it writes')
    .option('-n, --tail <lines>', 'only the last so many lines, or all')
    .option('--since <time>', 'only since then: a span such as 10m, or an RFC 3339 time')
    .option('--until <time>', 'only until then')
    .option('-t, --timestamps', 'each line with its time');
  examples(logs, ['mooring logs web', 'mooring logs -f --tail 20 web', 'mooring logs -t --since 10m --until 5m web']).action(
    async (word: string, flags: LogsOptions, command: Command) => {
      const action = await import('./commands/logs.ts');
      shell.finish(await action.logs(clientOf(command), io, word, flags));
    },
  );

  const events = program
    .command('events')
    .description('Print what happened, oldest first.')
    .argument('[name]', 'only of this container')
    .addOption(namespaceOption())
    .option('-f, --follow', 'go on as it happens')
    .addOption(repeated('--filter <filter>', 'follow what the engine does, as "docker events" does, but only this: type=container, event=die, container=web, label=KEY[=VALUE]; may be repeated'))
    .option('--since <time>', 'the same, beginning then: a span such as 10m, or an RFC 3339 time')
    .option('--until <time>', 'the same, until then')
    .option('--format <template>', 'the same, each in this form: a Go template, or json')
    .addOption(outputOption('json', 'yaml'));
  examples(events, ['mooring events', 'mooring events web', 'mooring events -f', 'mooring events --since 1h --until 0s --filter event=die']).action(async (word: string | undefined, flags: EventsOptions & EngineEventsFlags, command: Command) => {
    if ([flags.filter, flags.since, flags.until, flags.format].some((flag) => flag !== undefined)) {
      const filter = [...(flags.filter ?? []), ...(word === undefined ? [] : [`container=${word}`])];
      shell.finish(await (await import('./commands/docker/events.ts')).engineEvents(dockerOf(command), io, { ...flags, filter }));
      return;
    }
    const action = await import('./commands/events.ts');
    shell.finish(await action.events(clientOf(command), io, word, flags));
  });

  const explain = program
    .command('explain')
    .description('Say why a container is as it is: what is wanted, what was found, what comes next.')
    .argument('<name>', 'NAME, container/NAME or NAMESPACE/NAME')
    .addOption(namespaceOption())
    .addOption(outputOption('json', 'yaml'));
  examples(explain, ['mooring explain web']).action(async (word: string, flags: ExplainOptions, command: Command) => {
    const action = await import('./commands/explain.ts');
    shell.finish(await action.explain(clientOf(command), io, word, flags));
  });
}

async function list(command: Command, { io }: Shell, words: readonly string[], { namespace, allNamespaces = false, output, watch }: ListFlags): Promise<number> {
  const client = clientOf(command);
  const kind = kindOf(words);
  if (kind !== 'Container' && watch) throw new MooringError('Invalid', `--watch shows containers, not ${kind.toLowerCase()}s`, { fix: `follow them with "mooring events -f"` });
  if (isConfigKind(kind)) return (await import('./commands/config.ts')).listConfigs(client, io, kind, words, { namespace, allNamespaces, ...(output !== undefined && { output }) });
  if (kind !== 'Container') return (await import('./commands/supply.ts')).listSupplies(client, io, kind, words, { namespace, allNamespaces, ...(output !== undefined && { output }) });
  if (watch) return (await import('./commands/watch.ts')).watch(client, io, { namespace, allNamespaces, wide: output === 'wide' });
  const options: GetOptions = { namespace, allNamespaces, ...(output !== undefined && { output }) };
  return (await import('./commands/get.ts')).get(client, io, words, options);
}

export function namespaceOption(): Option {
  return new Option('-n, --namespace <namespace>', 'the namespace of bare names').default('default');
}

export function outputOption(...formats: OutputFormat[]): Option {
  return new Option('-o, --output <format>', 'print it in this form').choices(formats);
}
