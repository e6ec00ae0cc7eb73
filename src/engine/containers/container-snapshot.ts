import path from 'node:path';

import type { FileContent, Native } from '../../native/native.ts';
import type { Drift, ExitRecord } from '../engine.ts';
import { hashOf } from './bundle.ts';
import { blockDevices } from './device-number.ts';
import type { CgroupLayout } from './cgroup-layout.ts';
import { type LimitFile, limitFiles } from './limit-files.ts';
import { limitsOf } from './limits.ts';
import { type ManagedContainer, type Run, sameProcess } from './managed-container.ts';
import { type MonitorState, parseExit, parseState } from './monitor-files.ts';
import { isAlive, isStopped, statPath } from './process-table.ts';
import { mountDrift } from './wanted-mounts.ts';

/** What kernel and disk hold of a container at one moment. */
export interface ContainerSnapshot {
  readonly state: MonitorState | undefined;
  readonly exit: ExitRecord | undefined;
  readonly monitorAlive: boolean;
  readonly initAlive: boolean;
  /** Whether that was stopped by a signal, which in a pid namespace of its own only somebody outside can send it. */
  readonly isStopped: boolean;
  /** Undefined unless the bundle is whole. */
  readonly configText: string | undefined;
  readonly bundleDrift: readonly Drift[];
  /** Mount table of the container's first process, where that is alive. */
  readonly mountinfo: string | undefined;
}

/** Reads a container in one trip, or in two when its processes aren't those that were last seen. */
export async function readSnapshot(native: Native, managed: ManagedContainer): Promise<ContainerSnapshot> {
  const { paths, record } = managed;
  const guess = managed.run;
  const [state, exit, fallbackExit, config, upper, work, ...guessed] = await native.readFiles([
    ...[paths.state, paths.exit, paths.fallbackExit, paths.config, paths.upper, paths.work],
    ...(guess ? processFiles(guess) : []),
  ]);
  const stateText = textOf(state);
  const parsed = stateText === undefined ? lingering(guess, guessed) : parseState(stateText);
  const exitText = textOf(exit) ?? textOf(fallbackExit);
  const drift = bundleDrift(managed, config, { upper, work });
  return {
    state: parsed,
    exit: exitText === undefined ? undefined : parseExit(exitText),
    ...(await readProcesses(native, parsed, guess, guessed)),
    configText: drift.length === 0 && hashOf(textOf(config) ?? '') === record.configHash ? textOf(config) : undefined,
    bundleDrift: drift,
  };
}

/** A monitor removes its state before it ends, and lets go of the bundle only then. */
function lingering(guess: Run | undefined, [monitorStat]: FileContent[]): MonitorState | undefined {
  return guess && isAlive(guess.monitor, monitorStat) ? { status: 'creating', monitor: guess.monitor } : undefined;
}

type Processes = Pick<ContainerSnapshot, 'monitorAlive' | 'initAlive' | 'isStopped' | 'mountinfo'>;

async function readProcesses(native: Native, state: MonitorState | undefined, guess: Run | undefined, guessed: FileContent[]): Promise<Processes> {
  if (!state) return { monitorAlive: false, initAlive: false, isStopped: false, mountinfo: undefined };
  const init = state.status === 'running' ? state.init : undefined;
  const known = guess && init && sameProcess(guess.init, init) && sameProcess(guess.monitor, state.monitor);
  const files = known ? guessed : await native.readFiles(processFiles({ monitor: state.monitor, ...(init ? { init } : {}) }));
  const [monitorStat, initStat, mountinfo] = files;
  const initAlive = init !== undefined && isAlive(init, initStat);
  return { monitorAlive: isAlive(state.monitor, monitorStat), initAlive, isStopped: initAlive && isStopped(initStat), mountinfo: initAlive ? textOf(mountinfo) : undefined };
}

function processFiles({ monitor, init }: Pick<Run, 'monitor'> & Partial<Pick<Run, 'init'>>): string[] {
  return [statPath(monitor), ...(init ? [statPath(init), `/proc/${init.pid}/mountinfo`] : [])];
}

function bundleDrift({ record, paths }: ManagedContainer, config: FileContent | undefined, folders: Record<string, FileContent | undefined>): Drift[] {
  const text = textOf(config);
  if (text === undefined) return [{ kind: 'Bundle', message: `${paths.config} is gone` }];
  if (hashOf(text) !== record.configHash) return [{ kind: 'Bundle', message: `${paths.config} is not what was written` }];
  // Reading a folder fails with EISDIR, which says that it is there.
  const gone = Object.entries(folders).find(([, content]) => content && 'errno' in content && content.errno === 'ENOENT');
  return gone ? [{ kind: 'Bundle', message: `${paths.bundle}/${gone[0]} is gone` }] : [];
}

/** How the kernel's limits and mounts of a running container differ from what was asked. */
export async function runningDrift(native: Native, layout: CgroupLayout, managed: ManagedContainer, { mountinfo, isStopped: stopped }: Pick<ContainerSnapshot, 'mountinfo' | 'isStopped'>): Promise<Drift[]> {
  const [limits, strayed] = await Promise.all([limitDrift(native, layout, managed), strayedFrom(native, layout, managed)]);
  const mounts = managed.wantedMounts;
  const [first] = strayed;
  return [
    ...(stopped ? [{ kind: 'Frozen' as const, message: 'its first process was stopped by a signal (SIGSTOP), want it running' }] : []),
    ...(first === undefined ? [] : [{ kind: 'Limits' as const, message: `its first process is in control group ${first.found}${strayed.length > 1 ? `, and in ${strayed.length - 1} more that are not its own` : ''}, want ${managed.paths.cgroup}` }]),
    ...limits.map(({ drift }) => drift),
    ...(mounts === undefined || mountinfo === undefined ? [] : mountDrift(mounts, mountinfo)),
  ];
}

/** The hierarchies where the first process of a run is in another control group than its container's own, or one below that. `folder` is where it should be. */
export async function strayedFrom(native: Native, layout: CgroupLayout, { run, paths }: ManagedContainer): Promise<{ readonly folder: string; readonly found: string }[]> {
  if (run === undefined) return [];
  const [content] = await native.readFiles([`/proc/${run.init.pid}/cgroup`]);
  return [...(textOf(content) ?? '').matchAll(/^\d+:([^:]*):(.*)$/gm)].flatMap(([, controllers = '', found = '']) => {
    const mountPoint = layout.mountPointOf(controllers.split(','));
    if (mountPoint === undefined || found === paths.cgroup || found.startsWith(`${paths.cgroup}/`)) return [];
    return [{ folder: path.join(mountPoint, paths.cgroup), found: `${found} (${controllers === '' ? 'v2' : controllers})` }];
  });
}

/** The limits that aren't as wanted. */
export async function limitDrift(native: Native, layout: CgroupLayout, { record, paths }: ManagedContainer): Promise<{ readonly limit: LimitFile; readonly drift: Drift }[]> {
  const { spec } = record.container;
  const files = limitFiles(layout, paths.cgroup, limitsOf(spec, await blockDevices(spec.resources.blockIO)));
  const contents = await native.readFiles(files.map(({ file }) => file));
  return files.flatMap((limit, index) => {
    const content = contents[index];
        if (!content || ('errno' in content && limit.mayBeMissing)) return [];
    const found = 'text' in content ? content.text.trim() : `unreadable (${content.errno})`;
    if ('text' in content && limit.matches(found)) return [];
    return [{ limit, drift: { kind: 'Limits' as const, message: `${limit.name} is ${found}, want ${limit.wanted}` } }];
  });
}

function textOf(content: FileContent | undefined): string | undefined {
  return content && 'text' in content ? content.text : undefined;
}
