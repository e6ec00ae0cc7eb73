import type { Command } from 'commander';
import type { SuppliesFlags } from './commands/docker/supplies.ts';
import type { CreateNetworkOptions } from './commands/network.ts';
import type { SupplyKind } from './commands/supply.ts';
import type { CreateVolumeOptions } from './commands/volume.ts';
import { repeated } from './repeated.ts';
import { namespaceOption, outputOption } from './program-read.ts';
import { clientOf, dockerOf, examples, type Shell } from './shell.ts';

interface LsFlags extends SuppliesFlags {
  readonly namespace: string;
  readonly allNamespaces?: boolean;
  readonly output?: 'json' | 'yaml' | 'wide' | 'name';
}

/** `mooring network …` and `mooring volume …`. */
export function defineSupplies(program: Command, shell: Shell): void {
  const { io } = shell;
  const network = program.command('network').description('Networks of containers: create, list, inspect, remove, connect, disconnect.');
  const create = network
    .command('create')
    .description('Make a network. It is kept until "mooring network rm".')
    .argument('<name>', 'NAME or NAMESPACE/NAME')
    .addOption(namespaceOption())
    .option('-d, --driver <driver>', 'bridge, macvlan or ipvlan', 'bridge')
    .addOption(repeated('--subnet <cidr>', 'its subnet, such as 10.89.0.0/24; once for IPv4 and once for IPv6 (default: chosen free)'))
    .addOption(repeated('--gateway <address>', 'the gateway of a subnet (default: its first address)'))
    .addOption(repeated('--ip-range <cidr>', 'give addresses out of this part of a subnet'))
    .option('--internal', 'no way out')
    .option('--ipv6', 'IPv6, too; so it is unless --no-ipv6 is given', true)
    .option('--no-ipv6', 'IPv4 alone')
    .addOption(repeated('-o, --opt <key=value>', 'parent=LINK, mode=MODE or mtu=BYTES; may be repeated'))
    .addOption(repeated('--label <key=value>', 'a label; may be repeated'));
  examples(create, ['mooring network create back', 'mooring network create --subnet 10.89.0.0/24 --gateway 10.89.0.254 --internal back', 'mooring network create -d macvlan -o parent=eth0 --subnet 192.168.7.0/24 lan']).action(
    async (name: string, flags: CreateNetworkOptions, command: Command) => shell.finish(await (await import('./commands/network.ts')).createNetwork(clientOf(command), io, name, flags)),
  );
  defineCommon(network, 'Network', shell);

  const connect = network
    .command('connect')
    .description('Connect a container to a network, while it runs.')
    .argument('<network>', 'NAME or NAMESPACE/NAME')
    .argument('<container>', 'a container of the same namespace')
    .addOption(namespaceOption())
    .addOption(repeated('--alias <name>', 'a further name for it there; may be repeated'))
    .option('--ip <address>', 'its IPv4 address there')
    .option('--ip6 <address>', 'its IPv6 address there')
    .option('--mac-address <address>', 'its MAC address there');
  examples(connect, ['mooring network connect back web', 'mooring network connect --alias db --ip 10.89.0.7 back postgres']).action(
    async (name: string, container: string, flags: { namespace: string; alias?: string[]; ip?: string; ip6?: string; macAddress?: string }, command: Command) =>
      shell.finish(await (await import('./commands/network.ts')).connectNetwork(clientOf(command), name, container, flags)),
  );
  const disconnect = network.command('disconnect').description('Disconnect a container from a network, while it runs.').argument('<network>', 'NAME or NAMESPACE/NAME').argument('<container>', 'a container of the same namespace').addOption(namespaceOption());
  examples(disconnect, ['mooring network disconnect back web']).action(async (name: string, container: string, flags: { namespace: string }, command: Command) =>
    shell.finish(await (await import('./commands/network.ts')).disconnectNetwork(clientOf(command), name, container, flags)),
  );
  const pruneNetworks = network.command('prune').description('Remove the networks that "network create" or "apply" made and no container names.').option('-f, --force', 'as docker has it; nothing is asked anyway');
  examples(pruneNetworks, ['mooring network prune']).action(async (_: unknown, command: Command) => shell.finish(await (await import('./commands/supply.ts')).pruneSupplies(clientOf(command), io, 'Network', {})));

  const volume = program.command('volume').description('Volumes: create, list, inspect, remove, prune.');
  const make = volume
    .command('create')
    .description('Make a volume. It is kept until "mooring volume rm".')
    .argument('[name]', 'NAME or NAMESPACE/NAME (default: a random one)')
    .addOption(namespaceOption())
    .option('-d, --driver <driver>', 'local', 'local')
    .addOption(repeated('-o, --opt <key=value>', 'type=, device= and o= as mount(8) takes them, or size=; may be repeated'))
    .addOption(repeated('--label <key=value>', 'a label; may be repeated'))
    .option('--retain', 'keep the data when "mooring delete" takes the volume back');
  examples(make, ['mooring volume create data', 'mooring volume create -o type=none -o o=bind -o device=/srv/data shared', 'mooring volume create -o type=nfs -o o=addr=10.0.0.5,vers=4 -o device=:/export nfs']).action(
    async (name: string | undefined, flags: CreateVolumeOptions, command: Command) => shell.finish(await (await import('./commands/volume.ts')).createVolume(clientOf(command), io, name, flags)),
  );
  defineCommon(volume, 'Volume', shell);
  const pruneVolumes = volume
    .command('prune')
    .description('Delete the data of volumes that nobody wants any more.')
    .option('-a, --all', 'also of those that "volume create" or "apply" made and no container names')
    .option('-f, --force', 'as docker has it; nothing is asked anyway');
  examples(pruneVolumes, ['mooring volume prune', 'mooring volume prune --all']).action(async (flags: { all?: boolean }, command: Command) => shell.finish(await (await import('./commands/supply.ts')).pruneSupplies(clientOf(command), io, 'Volume', flags)));
}

/** What both have: ls, inspect, rm. */
function defineCommon(group: Command, kind: SupplyKind, shell: Shell): void {
  const { io } = shell;
  const word = kind.toLowerCase();
  const list = group
    .command('ls')
    .description(`List the ${word}s.`)
    .addOption(namespaceOption())
    .option('-A, --all-namespaces', 'of all namespaces')
    .option('-q, --quiet', 'only the names')
    .addOption(repeated('-f, --filter <filter>', `what the Docker API lists, of all namespaces, but only these: ${kind === 'Network' ? 'name=back, driver=bridge, type=custom' : 'name=data, driver=local'}, dangling=true, label=KEY[=VALUE]; may be repeated`))
    .option('--format <template>', 'what the Docker API lists, of all namespaces, each in this form: a Go template, json, or "table TEMPLATE"')
    .addOption(outputOption('json', 'yaml', 'wide', 'name'));
  if (kind === 'Network') list.option('--no-trunc', 'with --format, whole IDs');
  examples(list, [`mooring ${word} ls`, `mooring ${word} ls -A -o wide`, `mooring ${word} ls --filter dangling=true --format '{{.Name}} {{.Driver}}'`]).action(async (flags: LsFlags, command: Command) => {
    const { quiet = false, allNamespaces = false, namespace, output, filter, format } = flags;
    if (filter !== undefined || format !== undefined) {
      const { networks, volumes } = await import('./commands/docker/supplies.ts');
      shell.finish(await (kind === 'Network' ? networks : volumes)(dockerOf(command), io, flags));
      return;
    }
    const action = await import('./commands/supply.ts');
    const options = { namespace, allNamespaces, ...(output !== undefined && { output }) };
    shell.finish(await (quiet ? action.listNames(clientOf(command), io, kind, options) : action.listSupplies(clientOf(command), io, kind, [], options)));
  });
  const inspect = group.command('inspect').description(`Show everything about ${word}s.`).argument('<name...>', 'NAME or NAMESPACE/NAME').addOption(namespaceOption()).option('-f, --format <template>', `what the Docker API tells of ${word}s, in this form: a Go template, or json`).addOption(outputOption('json', 'yaml'));
  examples(inspect, [`mooring ${word} inspect data`]).action(async (words: string[], flags: { namespace: string; output?: 'json' | 'yaml'; format?: string }, command: Command) =>
    shell.finish(
      flags.format === undefined
        ? await (await import('./commands/supply.ts')).inspectSupplies(clientOf(command), io, kind, words, flags)
        : await (await import('./commands/docker/inspect.ts')).inspect(dockerOf(command), io, words, { format: flags.format, type: word }),
    ),
  );
  const remove = group
    .command('rm')
    .description(kind === 'Volume' ? 'Remove volumes with their data, whatever their reclaim policy. What a folder or a cluster says is deleted there.' : 'Remove networks. What a folder or a cluster says is deleted there.')
    .argument('<name...>', 'NAME or NAMESPACE/NAME')
    .addOption(namespaceOption());
  examples(remove, [`mooring ${word} rm data`]).action(async (words: string[], flags: { namespace: string }, command: Command) =>
    shell.finish(await (await import('./commands/supply.ts')).removeSupplies(clientOf(command), io, kind, words, flags)),
  );
}
