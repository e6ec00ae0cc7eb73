import type { DaemonFlags } from '../../api/v1/daemon-module.ts';
import { DEFAULTS } from '../../api/v1/defaults.ts';
import { Client } from '../client.ts';
import { EXIT } from '../exit.ts';
import type { Io } from '../io.ts';
import { loadDaemon } from '../load-daemon.ts';
import { watch } from './watch.ts';

/** `mooring daemon`: is the daemon, until a signal or `mooring down`. */
export async function daemon(io: Io, flags: DaemonFlags, view: boolean): Promise<number> {
  const { startDaemon } = await loadDaemon();
  const running = await startDaemon(flags);
  if (!view) {
    await running.stopped;
    return EXIT.ok;
  }
  const title = `mooring ${flags.instance}: specs ${flags.specs}, metrics ${running.metricsUrl ?? 'off'}`;
  if (!io.terminal) io.out(`${title}\n`);
  const showing = watch(new Client(running.socket), io, { namespace: 'default', allNamespaces: true, wide: false, title });
  const [{ takenDown }] = await Promise.all([running.stopped, showing]);
  io.out(takenDown ? '\nTaken down: no container is left.\n' : `\nThe daemon has stopped; its containers go on running. Take them down with: ${downCommand(flags)}\n`);
  return EXIT.ok;
}

/** The command that takes down what this daemon leaves. */
function downCommand({ dataDir, runDir, instance }: DaemonFlags): string {
  const flags = [
    ...(dataDir === DEFAULTS.dataDir ? [] : ['--data-dir', dataDir]),
    ...(runDir === DEFAULTS.runDir ? [] : ['--run-dir', runDir]),
    ...(instance === DEFAULTS.instance ? [] : ['--instance', instance]),
  ];
  return ['./bin/mooring down', ...flags].join(' ');
}
