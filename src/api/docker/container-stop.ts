import type { ContainerView } from '../../reconcile/view.ts';
import { canonicalSignal, parseSignal } from '../../spec/signal.ts';
import { suspend, changeContainer, untilView } from './container-change.ts';
import type { FoundContainer } from './container-lookup.ts';
import { isRunning, stateOf } from './container-state.ts';
import { startContainer } from './container-start.ts';
import type { DockerServices } from './docker-services.ts';
import { DockerError } from './error-reply.ts';

/** Ends a container's run, and has it stay so, as far as that is ours to say. False where it does not run. */
export async function stopContainer(services: DockerServices, { view }: FoundContainer, graceSeconds: number | undefined, signal: AbortSignal): Promise<boolean> {
  const state = stateOf(view);
  if (state === 'restarting') {
    suspend(services, view, true);
    return true;
  }
  if (!isRunning(view)) return false;
  await services.reconciler.stop(view.name, graceSeconds === undefined ? {} : { graceSeconds }, signal, () => suspend(services, view, true));
  return true;
}

/** Ends it where it runs, and has it run again. */
export async function restartContainer(services: DockerServices, found: FoundContainer, graceSeconds: number | undefined, signal: AbortSignal): Promise<void> {
  const { view } = found;
  // One that goes with its end is to survive this one.
  const { autoRemove } = view.container.spec;
  if (autoRemove) setAutoRemove(services, view, false);
  try {
    if (isRunning(view)) await services.reconciler.stop(view.name, graceSeconds === undefined ? {} : { graceSeconds }, signal);
    await startContainer(services, { id: found.id, view: services.reconciler.view(view.name) ?? view }, { signal });
  } finally {
    if (autoRemove && services.desired.get(view.name) !== undefined) setAutoRemove(services, view, true);
  }
}

function setAutoRemove(services: DockerServices, view: ContainerView, autoRemove: boolean): void {
  changeContainer(services, view, (container) => ({ ...container, spec: { ...container.spec, autoRemove } }));
}

/** Sends a signal. One that is to end it has it stay ended, too. Throws 409 for one that does not run. */
export async function killContainer(services: DockerServices, { id, view }: FoundContainer, given: string, reference: string, signal: AbortSignal): Promise<void> {
  const name = signalNamed(given);
  if (!isRunning(view)) throw new DockerError(409, `Cannot kill container: ${reference}: Container ${id} is not running`);
  const isLast = name === 'SIGKILL';
  if (isLast || name === canonicalSignal(view.container.spec.stopSignal)) {
    // The stop of one that another source keeps is for the moment; nobody waits for a signal that may be heeded or not.
    const stopped = services.reconciler.stop(view.name, { signal: name, graceSeconds: isLast ? 0 : -1 }, signal, () => suspend(services, view, true));
    if (isLast) await stopped;
    else stopped.catch(() => {}); // it ended meanwhile, or the client has gone
    return;
  }
  if (!(await services.streams.signal(id, name))) throw new DockerError(409, `Cannot kill container: ${reference}: Container ${id} is not running`);
}

function signalNamed(text: string): string {
  try {
    parseSignal(text);
    return canonicalSignal(text);
  } catch {
    throw new DockerError(400, `Invalid signal: ${text}`);
  }
}

/** Has its processes stand still, or go on. Throws 409 where that is so already. */
export async function pauseContainer(services: DockerServices, { id, view }: FoundContainer, pause: boolean, signal: AbortSignal): Promise<void> {
  const state = stateOf(view);
  if (pause && state === 'paused') throw new DockerError(409, `Container ${id} is already paused`);
  if (pause && state === 'restarting') throw new DockerError(409, `Container ${id} is restarting, wait until the container is running`);
  if (pause && state !== 'running') throw new DockerError(409, `Container ${id} is not running`);
  if (!pause && state !== 'paused') throw new DockerError(500, `Container ${id} is not paused`);
  changeContainer(services, view, (container) => ({ ...container, spec: { ...container.spec, pause } }));
  await untilView(services, view.name, (present) => present === undefined || stateOf(present) !== state, signal);
}
