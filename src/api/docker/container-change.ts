import type { ContainerName } from '../../spec/name.ts';
import type { Container } from '../../spec/container.ts';
import type { ContainerView } from '../../reconcile/view.ts';
import type { ApiServices } from '../v1/services.ts';
import { dockerNameOf } from './container-lookup.ts';
import { DockerError } from './error-reply.ts';

/** The client's word for itself, where desired state is said to come from. */
export const API_LOCATION = 'docker';

/** Has another document desired in the place of a container's. Throws 409 for one that another source wants as it is. */
export function changeContainer({ desired }: Pick<ApiServices, 'desired'>, { name, container, origin }: ContainerView, change: (container: Container) => Container): void {
  if (origin?.source !== 'api') throw notOurs({ container, origin });
  desired.apply('api', [{ resource: change(desired.get(name)?.container ?? container), location: origin.location }]);
}

/** Has it kept from running, or not. A container of another source goes by what that says. */
export function suspend(services: Pick<ApiServices, 'desired'>, view: ContainerView, suspended: boolean): void {
  if (view.origin?.source !== 'api') return;
  // What stands still is not to be ended, nor begun: a pause is over by then.
  changeContainer(services, view, (container) => (container.spec.suspend === suspended && !container.spec.pause ? container : { ...container, spec: { ...container.spec, suspend: suspended, pause: false } }));
}

export function notOurs({ container, origin }: { readonly container: Container; readonly origin?: ContainerView['origin'] | undefined }): DockerError {
  const name = dockerNameOf(container);
  if (origin === undefined) return new DockerError(409, `container ${name} is being removed`);
  return new DockerError(409, `container ${name} belongs to source ${origin.source}, which would undo this; change it in ${origin.location} instead`);
}

/** Settles once a view of the container passes the test, or the container is gone. Rejects once the signal is aborted. */
export async function untilView({ reconciler }: Pick<ApiServices, 'reconciler'>, name: ContainerName, test: (view: ContainerView | undefined) => boolean, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const check = (): void => {
    if (test(reconciler.view(name))) resolve();
  };
  const onAbort = (): void => reject(signal.reason);
  const unsubscribe = reconciler.subscribe((changed) => changed === name && check());
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    check();
    await promise;
  } finally {
    unsubscribe();
    signal.removeEventListener('abort', onAbort);
  }
}
