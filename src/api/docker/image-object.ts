import type { ImageDetails, ImageHistoryEntry } from '../../engine/images.ts';
import type { ImageRuntimeConfig } from '../../engine/images/oci-image.ts';
import { digestsOf, tagsOf } from './image-names.ts';

/** The time of what was never, as Go writes it. */
export const GO_ZERO_TIME = '0001-01-01T00:00:00Z';

/** `ContainerConfig` of the API: what an image says of its containers, or was asked for one. */
export function configObject(config: ImageRuntimeConfig): Record<string, unknown> {
  const { Env, Cmd, Entrypoint, Labels, Volumes, ExposedPorts, Healthcheck, Shell, StopSignal, OnBuild, User, WorkingDir } = config;
  return {
    Hostname: '',
    Domainname: '',
    User: User ?? '',
    AttachStdin: false,
    AttachStdout: false,
    AttachStderr: false,
    ...(ExposedPorts && { ExposedPorts }),
    Tty: false,
    OpenStdin: false,
    StdinOnce: false,
    Env: Env && Env.length > 0 ? Env : null,
    Cmd: Cmd ?? null,
    ...(Healthcheck && { Healthcheck }),
    Image: '',
    Volumes: Volumes ?? null,
    WorkingDir: WorkingDir ?? '',
    Entrypoint: Entrypoint ?? null,
    OnBuild: OnBuild ?? null,
    Labels: Labels ?? null,
    ...(StopSignal !== undefined && StopSignal !== '' && { StopSignal }),
    ...(Shell && { Shell }),
  };
}

/** `ImageInspect`. Sizes are those of the blobs: what a pull of all of it transfers. */
export function imageObject(image: ImageDetails): Record<string, unknown> {
  const { config, platform } = image;
  const runtime = config.config ?? {};
  return {
    Id: image.id,
    RepoTags: tagsOf(image),
    RepoDigests: digestsOf(image),
    Parent: '',
    Comment: config.history?.at(-1)?.comment ?? '',
    Created: image.created ?? GO_ZERO_TIME,
    Container: '',
    ContainerConfig: configObject({}),
    DockerVersion: '',
    Author: config.author ?? '',
    Config: configObject(runtime),
    Architecture: platform.architecture,
    ...(platform.variant !== undefined && { Variant: platform.variant }),
    Os: platform.os,
    Size: image.size,
    VirtualSize: image.size,
    GraphDriver: { Data: null, Name: 'overlay2' },
    RootFS: { Type: 'layers', Layers: config.rootfs.diff_ids },
    Metadata: { LastTagTime: new Date(image.storedAt).toISOString() },
  };
}

/** `ImageSummary`, an entry of the list. */
export function imageEntry(image: ImageDetails): Record<string, unknown> {
  const [tags, digests] = [tagsOf(image), digestsOf(image)];
  const isBare = tags.length === 0 && digests.length === 0;
  return {
    Containers: -1,
    Created: secondsOf(image.created),
    Id: image.id,
    Labels: image.config.config?.Labels ?? null,
    ParentId: '',
    RepoDigests: isBare ? ['<none>@<none>'] : digests.length === 0 ? null : digests,
    RepoTags: isBare ? ['<none>:<none>'] : tags.length === 0 ? null : tags,
    SharedSize: -1,
    Size: image.size,
    VirtualSize: image.size,
  };
}

/** `HistoryResponseItem`s, newest first. Only the image itself is one that can be named. */
export function historyObjects(image: ImageDetails, entries: readonly ImageHistoryEntry[]): Record<string, unknown>[] {
  const tags = tagsOf(image);
  return entries.map(({ comment, created, createdBy, layer }, index) => ({
    Comment: comment,
    Created: secondsOf(created),
    CreatedBy: createdBy,
    Id: index === 0 ? image.id : '<missing>',
    Size: layer?.size ?? 0,
    Tags: index === 0 && tags.length > 0 ? tags : null,
  }));
}

/** Seconds since the epoch; of no time at all those of Go's. */
export function secondsOf(time: string | null): number {
  return Math.floor(Date.parse(time ?? GO_ZERO_TIME) / 1000);
}
