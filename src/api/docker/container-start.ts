import type { ContainerId } from '../../engine/engine.ts';
import { messageOf, MooringError } from '../../lib/errors.ts';
import type { DockerCall } from './call.ts';
import { suspend } from './container-change.ts';
import { removeForGood } from './container-remove.ts';
import type { FoundContainer } from './container-lookup.ts';
import { commandWords, requestOf } from './container-request.ts';
import { stateOf, type StartFailure } from './container-state.ts';
import type { DockerServices } from './docker-services.ts';
import { DockerError } from './error-reply.ts';
import { kept } from './kept.ts';

/** The engine's code of a start that failed for other reasons than its program. */
const START_FAILED = 128;

/** Of containers whose last start failed. */
export const startFailures = kept(() => new Map<ContainerId, StartFailure>());

/** Has a container run. False where it does already. Throws 400 in the engine's words for a program that can't be run, and leaves the container as it was. */
export async function startContainer(services: DockerServices, { id, view }: FoundContainer, { signal }: Pick<DockerCall, 'signal'>): Promise<boolean> {
  const state = stateOf(view);
  if (state === 'running') return false;
  if (state === 'paused') throw new DockerError(409, 'cannot start a paused container, try unpause instead');
  if (state === 'removing') throw new DockerError(409, 'container is marked for removal and cannot be started');
  startFailures(services).delete(id);
  try {
    await services.reconciler.run(view.name, signal, () => suspend(services, view, false));
    return true;
  } catch (error) {
    if (signal.aborted) throw error;
    suspend(services, view, true);
    const failure = failureOf(services, { id, view }, error);
    startFailures(services).set(id, failure);
    if (requestOf(view.container).HostConfig.AutoRemove) await removeForGood(services, { id, view }, signal);
    throw new DockerError(failure.exitCode === START_FAILED ? 500 : 400, failure.message, { cause: error });
  }
}

/** Clients know by the words what a shell's exit code would be. */
function failureOf({ insight }: DockerServices, { id }: FoundContainer, error: unknown): StartFailure {
  const { exitCode } = error instanceof MooringError ? (error as MooringError & { readonly exitCode?: number }) : {};
  if (exitCode === undefined) return { exitCode: START_FAILED, message: messageOf(error) };
  const [program = ''] = commandWords(requestOf(insight.record(id).container), {});
  const said = messageOf(error).replace(/^start container \S+: /, '');
  const reason = said.startsWith('exec: ') ? said : `exec: ${JSON.stringify(program)}: ${said}`;
  return { exitCode, message: `failed to create task for container: failed to create shim task: OCI runtime create failed: unable to start container process: ${reason}: unknown` };
}
