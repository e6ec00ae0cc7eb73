import { MooringError } from '../../lib/errors.ts';
import type { ContainerObject } from '../../api/v1/types.ts';
import { badFlag } from './bad-flag.ts';
import { readPairs, variableOf } from './key-value-files.ts';
import { volumesOf } from './mounts.ts';
import { type Binding, portsOf } from './ports.ts';
import type { RunFlags } from './run-flags.ts';
import type { Surroundings } from './surroundings.ts';

type Spec = ContainerObject['spec'];
type Mount = Omit<Spec['mounts'][number], 'bind' | 'volume'> & { readonly bind?: { source: string; createSource: boolean }; readonly volume?: { name?: string } };

/** What a request of Docker's API says of a container, as far as it is changed here; kept so that "inspect" tells what was asked. */
interface Request {
  readonly Image?: string;
  readonly Env?: readonly string[] | null;
  readonly HostConfig?: { readonly Binds?: readonly string[] | null; readonly PortBindings?: Readonly<Record<string, readonly Binding[]>> | null } | null;
}

const REQUEST_ANNOTATION = 'docker.mooring.dev/request';

export type ChangeFlags = Pick<RunFlags, 'env' | 'envFile' | 'publish' | 'volume'> & { readonly image?: string };

/** Whether the flags ask for more than other limits: a new revision of the container. */
export function wantsRevision({ image, env, envFile, publish, volume }: ChangeFlags): boolean {
  return image !== undefined || [env, envFile, publish, volume].some((list) => list.length > 0);
}

/**
 * The document of a container with another image, with variables set (`NAME=VALUE`) or taken away (`NAME`, where the environment has none), with ports published and volumes
 * mounted; what was at the same port or path before goes. Throws `Invalid`.
 */
export function changedContainer(container: ContainerObject, flags: ChangeFlags, here: Surroundings): Record<string, unknown> {
  const { metadata, spec } = container;
  const variables = [...flags.envFile.flatMap((path) => readPairs('--env-file', path, here)), ...flags.env.map((text) => variableOf(text, here))];
  const { bindings } = portsOf(flags.publish, []);
  const { binds, anonymous } = volumesOf(flags.volume, here);
  const mounts = [...binds.map(mountOf), ...anonymous.map((mountPath) => ({ mountPath, volume: {} }))];
  const ports = Object.entries(bindings).flatMap(([inside, each]) => each.map((binding) => portOf(inside, binding)));
  const kept = metadata.annotations[REQUEST_ANNOTATION];
  const annotations = kept === undefined ? metadata.annotations : { ...metadata.annotations, [REQUEST_ANNOTATION]: JSON.stringify(changedRequest(JSON.parse(kept) as Request, flags.image, variables, bindings, binds)) };
  return {
    apiVersion: container.apiVersion,
    kind: container.kind,
    metadata: { name: metadata.name, namespace: metadata.namespace, labels: metadata.labels, annotations },
    spec: {
      ...spec,
      image: flags.image ?? spec.image,
      env: merged(spec.env, ({ name }) => name, variables.map(split), ({ value }) => value !== undefined),
      ports: merged(spec.ports, ({ containerPort, protocol }) => `${containerPort}/${protocol}`, ports),
      mounts: merged<{ readonly mountPath: string }>(spec.mounts, ({ mountPath }) => mountPath, mounts),
    },
  };
}

function changedRequest(request: Request, image: string | undefined, variables: readonly string[], bindings: Readonly<Record<string, readonly Binding[]>>, binds: readonly string[]): Request {
  const { HostConfig } = request;
  const targetOf = (bind: string): string => bind.split(':')[1] ?? '';
  return {
    ...request,
    ...(image !== undefined && { Image: image }),
    Env: merged(request.Env ?? [], (text) => split(text).name, variables, (text) => text.includes('=')),
    HostConfig: { ...HostConfig, Binds: merged(HostConfig?.Binds ?? [], targetOf, binds), PortBindings: { ...HostConfig?.PortBindings, ...bindings } },
  };
}

/** Without what has the key of one that is added. */
function merged<T>(present: readonly T[], keyOf: (item: T) => string, added: readonly T[], isKept: (item: T) => boolean = () => true): T[] {
  const keys = new Set(added.map(keyOf));
  return [...present.filter((item) => !keys.has(keyOf(item))), ...added.filter(isKept)];
}

function split(text: string): { name: string; value?: string } {
  const equals = text.indexOf('=');
  return equals < 0 ? { name: text } : { name: text.slice(0, equals), value: text.slice(equals + 1) };
}

function portOf(inside: string, { HostIp, HostPort }: Binding): Record<string, unknown> & { containerPort: number; protocol: string } {
  const [port = '', protocol = 'tcp'] = inside.split('/');
  if (!/^[1-9]\d*$/.test(HostPort)) throw new MooringError('Invalid', `--publish: port ${inside} of an existing container wants one port of the host`, { fix: `write -p HOST_PORT:${port}` });
  return { containerPort: Number(port), protocol: protocol.toUpperCase(), hostPort: Number(HostPort), ...(HostIp !== '' && { hostIP: HostIp }) };
}

function mountOf(bind: string): { mountPath: string; readOnly: boolean } & Pick<Mount, 'bind' | 'volume'> {
  const [source = '', mountPath = '', options = ''] = bind.split(':');
  const isReadOnly = options === 'ro';
  if (!mountPath.startsWith('/') || !['', 'ro', 'rw'].includes(options)) throw badFlag('--volume', bind, 'can not be added to an existing container', 'write SOURCE:/TARGET[:ro]');
  return { mountPath, readOnly: isReadOnly, ...(source.startsWith('/') ? { bind: { source, createSource: true } } : { volume: { name: source } }) };
}

/** Named volumes that the flags speak of: they are made where they are missing. */
export function namedVolumes({ volume }: ChangeFlags): string[] {
  return volume.filter((text) => /^[^/.][^:]*:/.test(text)).map((text) => text.slice(0, text.indexOf(':')));
}
