import { API_VERSION, type Container } from '../../../spec/container.ts';
import { LABEL_VALUE, parseQualifiedName } from '../../../spec/kubernetes-names.ts';
import { validate } from '../../../spec/validate.ts';
import { adaptedBody } from './adapted-body.ts';
import type { CreateBody } from './create-body.ts';
import type { CreateContext } from './create-context.ts';
import { healthOf } from './health-of.ts';
import { kernelOf } from './kernel-of.ts';
import { loggingOf } from './logging-of.ts';
import { mountsOf } from './mounts-of.ts';
import { networkOf } from './network-of.ts';
import type { WantedVolume } from './placed-mount.ts';
import { portsOf } from './ports-of.ts';
import { processOf } from './process-of.ts';
import { bad } from './refusal.ts';
import { refuse } from './refused.ts';
import { resourcesOf } from './resources-of.ts';
import { restartOf } from './restart-of.ts';
import { securityOf } from './security-of.ts';
import { sharingOf } from './sharing-of.ts';
import type { SpecInput } from './spec-input.ts';

export const NAME_ANNOTATION = 'docker.mooring.dev/name';
/** The request's body as JSON. */
export const REQUEST_ANNOTATION = 'docker.mooring.dev/request';

export interface Creation {
  readonly container: Container;
  /** To be there before the container is. */
  readonly volumes: readonly WantedVolume[];
  /** For people: what of the request has no effect on this node. */
  readonly warnings: readonly string[];
}

/**
 * The container that `POST /containers/create` asks for, kept from running until it is started. What can't be done is refused by name, in dockerd's words
 * where it has some. Without effect by nature: `AttachStdin`, `AttachStdout`, `AttachStderr` (the client says it anew when it attaches), `ArgsEscaped`, `CpuCount`,
 * `CpuPercent`, `IOMaximumIOps`, `IOMaximumBandwidth` (Windows), `OnBuild`, `Shell` (for builds), `ContainerIDFile` (the client's own), `ConsoleSize` (the client sets
 * it when it attaches), `Consistency` of mounts (macOS), and `ExposedPorts` but for `PublishAllPorts`. Throws MooringErrors.
 */
export function containerOf(asked: CreateBody, context: CreateContext): Creation {
  const { image, names } = context;
  refuse(asked);
  const { body, warnings } = adaptedBody(asked, context);
  const { mounts, volumes } = mountsOf(body, context);
  const network = networkOf(body, context);
  const published = network.mode === 'Bridge' ? portsOf(body, image.config, context) : [];
  const discarded = network.mode === 'Host' && Object.keys(body.HostConfig.PortBindings).length > 0;
  const spec: SpecInput = {
    image: image.reference,
    // Its clients fetch what is missing themselves.
    imagePullPolicy: 'Never',
    ...processOf(body, image.config),
    ...(body.Hostname !== '' && { hostname: body.Hostname }),
    hostnameFrom: 'ID',
    ...(body.Domainname !== '' && { domainname: body.Domainname }),
    supplementalGroups: body.HostConfig.GroupAdd,
    init: body.HostConfig.Init,
    autoRemove: body.HostConfig.AutoRemove,
    logging: loggingOf(body.HostConfig.LogConfig),
    mounts: [...mounts],
    ports: published,
    resources: resourcesOf(body.HostConfig),
    ...restartOf(body.HostConfig),
    ...securityOf(body.HostConfig),
    ...kernelOf(body.HostConfig),
    ...sharingOf(body, context),
    ...healthOf(body, image.config),
    network,
    suspend: true,
  };
  const annotations = { [NAME_ANNOTATION]: names.docker, [REQUEST_ANNOTATION]: JSON.stringify(body) };
  const container = checked({ apiVersion: API_VERSION, kind: 'Container', metadata: { name: names.resource, labels: resourceLabels(body.Labels), annotations }, spec });
  return { container, volumes, warnings: [...warnings, ...(discarded ? ['Published ports are discarded when using host network mode'] : [])] };
}

function checked(document: unknown): Container {
  const result = validate(document);
  if ('faults' in result) {
    throw bad(`invalid container: ${result.faults.map(({ path, message, fix }) => `${path.join('.')} ${message}${fix === undefined ? '' : ` (${fix})`}`).join('; ')}`);
  }
  if (result.resource.kind !== 'Container') throw bad('invalid container');
  return result.resource;
}

/** Docker's labels that can be labels of a resource as well; the others are in the request alone. */
function resourceLabels(labels: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(labels).filter(([key, value]) => isKey(key) && value.length <= LABEL_VALUE.maxLength && LABEL_VALUE.pattern.test(value)));
}

function isKey(text: string): boolean {
  try {
    parseQualifiedName(text);
    return true;
  } catch {
    return false;
  }
}
