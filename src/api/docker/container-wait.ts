import type { ContainerId } from '../../engine/engine.ts';
import type { ContainerView } from '../../reconcile/view.ts';
import type { ApiServices } from '../v1/services.ts';
import { type DockerCall, param } from './call.ts';
import { findContainer, type FoundContainer } from './container-lookup.ts';
import { isRunning, NEVER, stateOf } from './container-state.ts';
import { DockerError } from './error-reply.ts';

const CONDITIONS = ['not-running', 'next-exit', 'removed'] as const;
type Condition = (typeof CONDITIONS)[number];

/** `POST /containers/{id}/wait`: the reply's head at once, by which the client knows that it is waited for, and the exit code later. */
export async function wait(call: DockerCall, services: ApiServices): Promise<void> {
  const found = findContainer(services, param(call, 'id'));
  const asked = call.query.text('condition') ?? 'not-running';
  const condition = CONDITIONS.find((known) => known === asked);
  if (condition === undefined) throw new DockerError(400, `invalid condition: ${JSON.stringify(asked)}`);
  const ended = exitCodeOnce(services, found, condition, call.signal);
  const { response } = call;
  response.writeHead(200, { 'content-type': 'application/json' });
  response.flushHeaders();
  try {
    response.end(`${JSON.stringify({ StatusCode: await ended, Error: null })}\n`);
  } catch (error) {
    if (!call.signal.aborted) throw error;
    response.destroy();
  }
}

/** The exit code, once the condition holds. Listens from its call on. */
function exitCodeOnce({ reconciler }: ApiServices, { id, view: { name, status } }: FoundContainer, condition: Condition, signal: AbortSignal): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  let last = status.exitCode ?? 0;
  // While its monitor is about to end, a container neither runs nor is it told how this run ended.
  const hasEnded = (view: ContainerView): boolean =>
    !isRunning(view) && stateOf(view) !== 'restarting' && (status.pid === undefined || Date.parse(view.status.finishedAt ?? NEVER) >= Date.parse(status.startedAt ?? NEVER));
  const isGone = (): boolean => reconciler.view(name)?.status.containerID !== id;
  const check = (): void => {
    const view = reconciler.view(name);
    if (isGone()) resolve(last);
    else if (condition === 'not-running' && view !== undefined && hasEnded(view)) resolve(view.status.exitCode ?? last);
  };
  const offExit = reconciler.onExit((end: { readonly id: ContainerId; readonly exit: { readonly exitCode: number } }) => {
    if (end.id !== id) return;
    last = end.exit.exitCode;
    if (condition === 'next-exit') resolve(last);
    else check();
  });
  const offView = reconciler.subscribe((changed) => changed === name && check());
  const onAbort = (): void => reject(signal.reason);
  signal.addEventListener('abort', onAbort, { once: true });
  check();
  return promise.finally(() => {
    offExit();
    offView();
    signal.removeEventListener('abort', onAbort);
  });
}
