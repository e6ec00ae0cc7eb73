import { mkdir, rm } from 'node:fs/promises';

import { MooringError } from '../../lib/errors.ts';
import type { Native } from '../../native/native.ts';
import type { GivenConfig } from '../config.ts';
import type { ContainerRecords } from '../store/container-records.ts';
import { requireBindSources, requireBlockDevices, writeBundle } from './bundle-files.ts';
import { hashOf, withLimitsOf } from './bundle.ts';
import type { BundlePlanner } from './bundle-planner.ts';
import type { CgroupLayout } from './cgroup-layout.ts';
import type { ContainerObserver } from './container-observer.ts';
import { type ManagedContainer, sharesProcesses } from './managed-container.ts';
import { thaw } from './freezer.ts';
import { endStrays } from './process-end.ts';

export interface ContainerRenewalOptions {
  readonly native: Native;
  readonly layout: CgroupLayout;
  readonly records: ContainerRecords;
  readonly observer: ContainerObserver;
  readonly planner: BundlePlanner;
}

/** What an ended container needs before its next start. */
export class ContainerRenewal {
  readonly #options: ContainerRenewalOptions;

  constructor(options: ContainerRenewalOptions) {
    this.#options = options;
  }

  /** Makes an ended container fit to be started again. False when it runs already. */
  async readyAgain(managed: ManagedContainer, config: GivenConfig | undefined): Promise<boolean> {
    const { native, layout, records, observer, planner } = this.#options;
    const { record, paths } = managed;
    const { snapshot, process } = await observer.look(managed);
    if (process.state === 'Running') return false;
    if (process.state === 'Creating') throw new MooringError('Unavailable', `container ${record.name} is being started or is just ending`, { fix: 'try again in a moment' });
    observer.unfollow(managed);
    await requireBindSources(record.container);
    // Of a run with a state file it is known that its first process has ended, and with it every other one in a pid namespace of its own.
    if (snapshot.state?.status !== 'running' || sharesProcesses(managed)) await endStrays(native, layout, paths.cgroup, record.id);
    // A frozen cgroup, which a v2 one stays though its processes were killed, would hold the next one before its first instruction.
    // The monitor will remove the old exit record, and a state that was left behind would then pass for a run whose end nobody recorded.
    await Promise.all([rm(paths.state, { force: true }), rm(paths.paused, { force: true }), thaw(layout, paths.cgroup), mkdir(paths.stateDir, { recursive: true, mode: 0o700 })]);
    const { configText } = snapshot;
    const text = configText === undefined ? (await planner.plan(record.container, record.id, config)).bundle.text : withLimitsOf(configText, record.container, await requireBlockDevices(record.container));
    if (text === configText) return true;
    const configHash = hashOf(text);
    records.setConfigHash(record.id, configHash);
    managed.record = { ...record, configHash };
    await writeBundle(paths, text);
    return true;
  }
}
