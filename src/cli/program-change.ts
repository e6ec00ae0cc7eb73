import { Option, type Command } from 'commander';
import type { DaemonFlags, TakeDownFlags } from '../api/v1/daemon-module.ts';
import { DEFAULTS, socketPath } from '../api/v1/defaults.ts';
import { Client, socketOf } from './client.ts';
import type { ApplyOptions } from './commands/apply.ts';
import type { DeleteOptions } from './commands/delete.ts';
import type { PlanOptions } from './commands/plan.ts';
import { namespaceOption, outputOption } from './program-read.ts';
import { repeated } from './repeated.ts';
import { clientOf, examples, type Shell } from './shell.ts';

const WAIT_DEFAULT = '60s';

/** The commands that change what runs, `plan` that says what they would do, and the daemon itself. */
export function defineChanging(program: Command, shell: Shell): void {
  const { io } = shell;

  const plan = program
    .command('plan')
    .description('Say exactly what documents would do, and why. Does nothing.')
    .addOption(filenameOption().makeOptionMandatory())
    .option('--prune', 'take -f for the whole specs folder: show also what is removed because it is not there')
    .option('--exit-code', 'exit with 4 when something would change')
    .addOption(outputOption('json', 'yaml'));
  examples(plan, ['mooring plan -f examples/gitops/web.yaml', 'mooring plan -f examples/gitops --prune', 'mooring plan -f examples/gitops --exit-code -o json']).action(
    async (flags: PlanOptions, command: Command) => {
      const action = await import('./commands/plan.ts');
      shell.finish(await action.plan(clientOf(command), io, flags));
    },
  );

  const apply = program
    .command('apply')
    .description('Hand documents to the daemon. It keeps them, and keeps to them, until "mooring delete".')
    .addOption(filenameOption().makeOptionMandatory())
    .addOption(outputOption('json', 'yaml', 'name'))
    .option('--wait', 'until every container is ready, or completed')
    .option('--timeout <span>', 'how long --wait waits', WAIT_DEFAULT);
  examples(apply, ['mooring apply -f examples/gitops/web.yaml', 'mooring apply -f examples/gitops --wait --timeout 2m', 'cat examples/gitops/web.yaml | mooring apply -f -']).action(
    async (flags: ApplyOptions, command: Command) => {
      const action = await import('./commands/apply.ts');
      shell.finish(await action.apply(clientOf(command), io, flags));
    },
  );

  const remove = program
    .command('delete')
    .description('Take back what "mooring apply" said: the containers end, and all they held goes. What a folder or a cluster says is deleted there.')
    .argument('[name...]', 'NAME, container/NAME or NAMESPACE/NAME')
    .addOption(filenameOption())
    .addOption(namespaceOption())
    .option('--wait', 'until they are gone')
    .option('--timeout <span>', 'how long --wait waits', WAIT_DEFAULT);
  examples(remove, ['mooring delete web', 'mooring delete web worker --wait', 'mooring delete -f examples/gitops/web.yaml']).action(async (words: string[], flags: DeleteOptions, command: Command) => {
    const action = await import('./commands/delete.ts');
    shell.finish(await action.deleteContainers(clientOf(command), io, words, flags));
  });

  const down = program.command('down').description('Remove every container of the instance, and end its daemon. What is wanted stays wanted: the next daemon brings it up again.');
  for (const option of placeOptions()) down.addOption(option);
  down.addOption(logLevelOption().default('warn'));
  examples(down, ['mooring down', 'mooring down --data-dir /var/lib/mooring --run-dir /run/mooring --instance default']).action(
    async (flags: TakeDownFlags, command: Command) => {
      const { host } = command.optsWithGlobals<{ host?: string }>();
      const named = host !== undefined || (process.env['MOORING_HOST'] !== undefined && command.getOptionValueSource('runDir') === 'default');
      const client = new Client(named ? socketOf(host) : socketPath(flags.runDir));
      const action = await import('./commands/down.ts');
      shell.finish(await action.down(client, io, flags));
    },
  );

  const daemon = program.command('daemon').description('Be the daemon: make containers so as the specs say, and keep them so. Ends on SIGINT and SIGTERM; its containers go on.');
  daemon.option('--specs <dir>', 'folder of YAML and JSON documents', DEFAULTS.specs);
  for (const option of placeOptions()) daemon.addOption(option);
  daemon
    .option('--metrics-addr <host:port>', 'where /metrics is served; "off" for nowhere', DEFAULTS.metricsAddr)
    .option('--metrics-token-file <file>', 'ask scrapers for the bearer token in this file')
    .option('--docker-addr <tcp://host:port>', 'serve the Docker Engine API here, too, to clients with a certificate; asks for the three below')
    .option('--tls-ca <file>', "authority (PEM) that signed the clients' certificates")
    .option('--tls-cert <file>', "the daemon's certificate (PEM), with those between it and its authority")
    .option('--tls-key <file>', "key of the daemon's certificate (PEM)")
    .addOption(repeated('--docker-origin <origin>', 'let pages of this origin use --docker-addr; may be repeated'))
    .option('--docker-tokens', 'ask for a token ("mooring token") on --docker-addr, and serve docker-token.sock, which does')
    .addOption(logLevelOption().default(DEFAULTS.logLevel))
    .option('--registries <file>', `how registries are reached: mirrors, authorities, the default one (default: ${DEFAULTS.registries}, if it is there)`)
    .option('--pull-secrets <dir>', 'secrets that spec.imagePullSecrets names, as NAMESPACE/NAME.json', DEFAULTS.pullSecrets)
    .addOption(repeated('--registry-ca <file>', 'trust this authority (PEM) for registries, beside those of the system and of /etc/docker/certs.d; may be repeated'))
    .addOption(repeated('--insecure-registry <host:port>', 'speak plain HTTP to this registry where it has no TLS; may be repeated'))
    .option('--resync-interval <span>', 'look at everything again this often', DEFAULTS.resyncInterval)
    .option('--sandboxes <n>', 'processes made ahead, so that containers start sooner; about 1 MiB each, 0 for none', DEFAULTS.sandboxes)
    .option('--view', 'show a live table of the containers');
  examples(daemon, ['mooring daemon', 'mooring daemon --specs examples/gitops --data-dir /tmp/m/data --run-dir /tmp/m/run --instance try --view']).action(
    async ({ view = false, ...given }: DaemonFlags & { view?: boolean }, command: Command) => {
      // Log lines would tear the live table; what matters is in it, and in the events.
      const quiet = view && io.terminal && command.getOptionValueSource('logLevel') === 'default';
      const flags = quiet ? { ...given, logLevel: 'error' } : given;
      const action = await import('./commands/daemon.ts');
      shell.finish(await action.daemon(io, flags, view));
    },
  );
}

export function filenameOption(): Option {
  return repeated('-f, --filename <path>', 'a file, a folder (any depth), or - for standard input; may be repeated');
}

function logLevelOption(): Option {
  return new Option('--log-level <level>', 'least level that is logged').choices(['debug', 'info', 'warn', 'error', 'silent']);
}

function placeOptions(): Option[] {
  return [
    new Option('--data-dir <dir>', 'images, containers and records').default(DEFAULTS.dataDir),
    new Option('--run-dir <dir>', "the socket, and what a reboot empties").default(DEFAULTS.runDir),
    new Option('--instance <name>', 'prefix of everything host-wide, so that several daemons share a machine').default(DEFAULTS.instance),
  ];
}
