import type { ExecRequest } from '../engine.ts';
import { resolveUser, withGroups } from './process-user.ts';
import { OVERLAY_ANNOTATION, type RootOverlay, type RuntimeConfig } from './runtime-spec.ts';

/**
 * The runtime spec's `process` of one more process in a container: what is asked for, over what its first process has.
 * @param groups Those that every process of the container is in.
 */
export async function execProcess(config: RuntimeConfig, request: ExecRequest, groups: readonly string[]): Promise<RuntimeConfig['process']> {
  const { process } = config;
  const environment = new Map(process.env.map((entry) => [entry.slice(0, entry.indexOf('=')), entry]));
  const set = (name: string, value: string): unknown => environment.set(name, `${name}=${value}`);
  let { user } = process;
  if (request.user !== undefined) {
    // Accounts may have come since the image was made: they are in the writable layer.
    const { lower, upper } = JSON.parse(config.annotations[OVERLAY_ANNOTATION]) as RootOverlay;
    const layers = [upper, ...lower];
    const { home, ...ids } = await withGroups(await resolveUser(request.user, layers), groups, layers);
    user = { ...user, ...ids };
    set('HOME', home);
  }
  if (request.tty === true && !environment.has('TERM')) set('TERM', 'xterm');
  for (const { name, value } of request.env ?? []) set(name, value);
  return { ...process, terminal: request.tty ?? false, user, args: request.command, env: [...environment.values()], cwd: request.workingDir ?? process.cwd };
}
