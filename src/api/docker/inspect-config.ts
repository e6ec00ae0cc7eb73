import { hostnameOf } from '../../engine/containers/bundle.ts';
import type { ContainerId } from '../../engine/engine.ts';
import type { ImageRuntimeConfig } from '../../engine/images/oci-image.ts';
import type { Container } from '../../spec/container.ts';
import { mergedCommand } from './container-request.ts';
import type { CreateBody } from './create/create-body.ts';

/** `Config` of an inspection: what was asked for, over what the image says. */
export function configBlock(id: ContainerId, container: Container, request: CreateBody, image: ImageRuntimeConfig) {
  const exposed = [...new Set([...request.ExposedPorts, ...Object.keys(request.HostConfig.PortBindings), ...Object.keys(image.ExposedPorts ?? {})])].map((port) => (port.includes('/') ? port : `${port}/tcp`));
  const volumes = [...new Set([...request.Volumes, ...Object.keys(image.Volumes ?? {})])];
  const health = request.Healthcheck ?? image.Healthcheck;
  const signal = request.StopSignal || image.StopSignal;
  const { AttachStdin = false, AttachStdout = false, AttachStderr = false } = request as Partial<Record<'AttachStdin' | 'AttachStdout' | 'AttachStderr', boolean>>;
  return {
    Hostname: hostnameOf(container, id),
    Domainname: request.Domainname,
    User: request.User || (image.User ?? ''),
    AttachStdin,
    AttachStdout,
    AttachStderr,
    ...(exposed.length > 0 && { ExposedPorts: emptyObjects(exposed) }),
    Tty: request.Tty,
    OpenStdin: request.OpenStdin,
    StdinOnce: request.StdinOnce,
    Env: mergedEnv(request.Env, image.Env ?? []),
    ...mergedCommand(request, image),
    ...(health && { Healthcheck: health }),
    Image: request.Image,
    Volumes: volumes.length > 0 ? emptyObjects(volumes) : null,
    WorkingDir: request.WorkingDir || (image.WorkingDir ?? ''),
    ...(request.NetworkDisabled && { NetworkDisabled: true }),
    ...(request.MacAddress !== '' && { MacAddress: request.MacAddress }),
    OnBuild: null,
    Labels: labelsOf(request, image),
    ...(signal && { StopSignal: signal }),
    ...(typeof request.StopTimeout === 'number' && { StopTimeout: request.StopTimeout }),
  };
}

/** The image's, and over them those that were asked for. */
export function labelsOf(request: Pick<CreateBody, 'Labels'>, image: ImageRuntimeConfig): Record<string, string> {
  return { ...image.Labels, ...request.Labels };
}

function mergedEnv(own: readonly string[], image: readonly string[]): string[] {
  const names = new Set(own.map((entry) => entry.split('=', 1)[0]));
  return [...own, ...image.filter((entry) => !names.has(entry.split('=', 1)[0] ?? ''))];
}

export function emptyObjects(names: readonly string[]): Record<string, object> {
  return Object.fromEntries(names.map((name) => [name, {}]));
}
