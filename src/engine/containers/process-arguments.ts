import { MooringError } from '../../lib/errors.ts';
import type { ContainerSpec } from '../../spec/container.ts';
import type { ImageRuntimeConfig } from '../images/oci-image.ts';

/**
 * The process's argument vector by Kubernetes' rules: `command` stands for the image's Entrypoint and drops its Cmd with it, `args`
 * for its Cmd; an empty list counts as none. Nothing in them is expanded.
 */
export function processArguments(spec: Pick<ContainerSpec, 'command' | 'args' | 'image'>, image: ImageRuntimeConfig): string[] {
  const command = filled(spec.command);
  const args = filled(spec.args) ?? (command ? [] : (image.Cmd ?? []));
  const words = [...(command ?? image.Entrypoint ?? []), ...args];
  if (words.length === 0)
    throw new MooringError('Invalid', `image "${spec.image}" says nothing to run: it has neither Entrypoint nor Cmd`, { fix: 'set spec.command' });
  return words;
}

/** The process's environment: the image's, over it the container's own, over nothing the few that every process expects. */
export function processEnvironment(
  spec: { readonly env: readonly { readonly name: string; readonly value: string }[] } & Pick<ContainerSpec, 'tty'>,
  image: ImageRuntimeConfig,
  defaults: { readonly home: string; readonly hostname: string },
): string[] {
  const environment = new Map([
    ['PATH', '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'],
    ['HOSTNAME', defaults.hostname],
    ['HOME', defaults.home],
  ]);
  if (spec.tty) environment.set('TERM', 'xterm');
  for (const variable of image.Env ?? []) {
    const equals = variable.indexOf('=');
    if (equals > 0) environment.set(variable.slice(0, equals), variable.slice(equals + 1));
  }
  for (const { name, value } of spec.env) environment.set(name, value);
  return [...environment].map(([name, value]) => `${name}=${value}`);
}

function filled(list: readonly string[] | undefined): readonly string[] | undefined {
  return list?.length ? list : undefined;
}
