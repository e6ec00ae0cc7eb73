import type { ImageRuntimeConfig } from '../../engine/images/oci-image.ts';
import type { Container } from '../../spec/container.ts';
import { parseCpu, parseMemory } from '../../spec/resources.ts';
import { REQUEST_ANNOTATION } from './create/container-of.ts';
import { type CreateBody, createBodySchema } from './create/create-body.ts';

const POLICY = { Always: 'always', OnFailure: 'on-failure', Never: 'no' } as const;
const MODE = { Bridge: 'bridge', Host: 'host', None: 'none' } as const;

/** What a container was asked for as: the body that it was created by, or for one of another source, the body that would ask for the same. */
export function requestOf({ metadata, spec }: Container): CreateBody {
  const kept = metadata.annotations[REQUEST_ANNOTATION];
  if (kept !== undefined) return createBodySchema.parse(revived(JSON.parse(kept)));
  const { resources, network } = spec;
  return createBodySchema.parse({
    Hostname: spec.hostname,
    User: spec.user,
    Tty: spec.tty,
    OpenStdin: spec.stdin,
    StdinOnce: spec.stdinOnce,
    Env: spec.env.flatMap(({ name, value, valueFrom }) => (valueFrom === undefined ? [`${name}=${value}`] : [])),
    Cmd: spec.args,
    Entrypoint: spec.command,
    Image: spec.image,
    WorkingDir: spec.workingDir,
    Labels: metadata.labels,
    StopSignal: spec.stopSignal,
    StopTimeout: spec.stopTimeoutSeconds,
    ExposedPorts: Object.fromEntries(spec.ports.flatMap((port) => keysOf(port).map((key) => [key, {}]))),
    HostConfig: {
      Binds: spec.mounts.flatMap(({ bind, mountPath, readOnly }) => (bind === undefined ? [] : [`${bind.source}:${mountPath}${readOnly ? ':ro' : ''}`])),
      NetworkMode: network.mode === 'Container' ? `container:${network.container ?? ''}` : MODE[network.mode],
      PortBindings: bindingsOf(spec.ports),
      RestartPolicy: { Name: POLICY[spec.restartPolicy] },
      CapAdd: spec.capabilities.add,
      CapDrop: spec.capabilities.drop,
      Dns: network.dns.servers,
      DnsOptions: network.dns.options,
      DnsSearch: network.dns.searches,
      ExtraHosts: network.extraHosts.flatMap(({ ip, hostnames }) => hostnames.map((name) => `${name}:${ip}`)),
      Privileged: spec.privileged,
      ReadonlyRootfs: spec.readOnlyRootFilesystem,
      Init: spec.init,
      Memory: resources.memory === undefined ? 0 : parseMemory(resources.memory),
      NanoCpus: resources.cpu === undefined ? 0 : parseCpu(resources.cpu) * 1e6,
      PidsLimit: resources.pids,
    },
  });
}

/** What was a set when it came is kept as a list. */
function revived(body: { readonly ExposedPorts?: unknown; readonly Volumes?: unknown }): unknown {
  const set = (value: unknown): unknown => (Array.isArray(value) ? Object.fromEntries(value.map((name: unknown) => [String(name), {}])) : value);
  return { ...body, ExposedPorts: set(body.ExposedPorts), Volumes: set(body.Volumes) };
}

/** What runs, in words: the first of them is `Path`, the others are `Args`. */
export function commandWords(request: Pick<CreateBody, 'Entrypoint' | 'Cmd'>, image: ImageRuntimeConfig): string[] {
  const { Entrypoint: entrypoint, Cmd: cmd } = mergedCommand(request, image);
  return [...(entrypoint ?? []).filter((word, index) => index > 0 || word !== ''), ...(cmd ?? [])];
}

/** The engine's rules: without an entrypoint of its own it has the image's, and without both, the image's Cmd. */
export function mergedCommand({ Entrypoint: entrypoint, Cmd: cmd }: Pick<CreateBody, 'Entrypoint' | 'Cmd'>, image: ImageRuntimeConfig): { readonly Entrypoint: readonly string[] | null; readonly Cmd: readonly string[] | null } {
  const own = cmd !== null && cmd.length > 0 ? cmd : null;
  if (entrypoint !== null && entrypoint.length > 0) return { Entrypoint: entrypoint, Cmd: own };
  return { Entrypoint: entrypoint ?? image.Entrypoint ?? null, Cmd: own ?? image.Cmd ?? null };
}

type Ports = Container['spec']['ports'];

/** The ports of the container that an entry stands for: `80/tcp`. */
function keysOf({ containerPort, endPort = containerPort, protocol }: Ports[number]): string[] {
  return Array.from({ length: endPort - containerPort + 1 }, (_, index) => `${containerPort + index}/${protocol.toLowerCase()}`);
}

function bindingsOf(ports: Ports): Record<string, { readonly HostIp: string | undefined; readonly HostPort: string }[]> {
  const bindings: ReturnType<typeof bindingsOf> = {};
  for (const port of ports) {
    const { hostIP: HostIp, hostPort } = port;
    if (hostPort !== undefined) keysOf(port).forEach((key, index) => (bindings[key] ??= []).push({ HostIp, HostPort: String(hostPort + index) }));
  }
  return bindings;
}
