import { join } from 'node:path';
import { diskBytes } from '../../engine/images/disk.ts';
import type { ImageRuntimeConfig } from '../../engine/images/oci-image.ts';
import { MooringError } from '../../lib/errors.ts';
import type { ApiServices } from '../v1/services.ts';
import { dockerNameOf, type FoundContainer } from './container-lookup.ts';
import { commandWords, requestOf } from './container-request.ts';
import { isRunning, stateBlock } from './container-state.ts';
import { startFailures } from './container-start.ts';
import { execsOf } from './exec-registry.ts';
import { configBlock } from './inspect-config.ts';
import { hostConfigBlock } from './inspect-host-config.ts';
import { mountBlock } from './inspect-mounts.ts';
import { networkBlock } from './inspect-network.ts';
import { dockerVolumeName } from './supply-names.ts';
import { kept } from './kept.ts';

/** Configs of images by their ids, which they never change under. */
const configs = kept(() => new Map<string, ImageRuntimeConfig>());

/** What an image says of its containers' processes; nothing for one that is gone. */
export async function imageConfig(services: ApiServices, imageId: string): Promise<ImageRuntimeConfig> {
  const known = configs(services).get(imageId);
  if (known !== undefined) return known;
  try {
    const config = (await services.images.inspect(imageId)).config.config ?? {};
    configs(services).set(imageId, config);
    return config;
  } catch (error) {
    if (error instanceof MooringError && error.code === 'NotFound') return {};
    throw error;
  }
}

/** The answer of `GET /containers/{id}/json`. */
export async function inspectContainer(services: ApiServices, { id, view }: FoundContainer, { size }: { readonly size: boolean }) {
  const record = services.insight.record(id);
  const request = requestOf(view.container);
  const [image, lastExit, sizes] = await Promise.all([imageConfig(services, record.imageId), services.insight.lastExit(id), size ? sizesOf(services, record) : {}]);
  const [path = '', ...args] = commandWords(request, image);
  const running = isRunning(view);
  const Config = configBlock(id, view.container, request, image);
  const execIds = execsOf(services).runningIn(id);
  const layers = await services.insight.layers(id);
  return {
    Id: id,
    Created: new Date(record.createdAt).toISOString(),
    Path: path,
    Args: args,
    State: stateBlock(view, { oomKilled: !running && lastExit?.oomKilled === true, failure: startFailures(services).get(id), health: services.reconciler.health(view.name) }),
    Image: record.imageId,
    ResolvConfPath: join(record.bundle, 'resolv.conf'),
    HostnamePath: join(record.bundle, 'hostname'),
    HostsPath: join(record.bundle, 'hosts'),
    LogPath: record.log,
    Name: `/${dockerNameOf(view.container)}`,
    RestartCount: view.status.restartCount,
    Driver: 'overlay2',
    Platform: 'linux',
    MountLabel: '',
    ProcessLabel: '',
    AppArmorProfile: '',
    ExecIDs: execIds.length > 0 ? execIds : null,
    HostConfig: hostConfigBlock(request),
    GraphDriver: { Data: { LowerDir: layers.lower.join(':'), MergedDir: join(record.bundle, 'rootfs'), UpperDir: layers.upper, WorkDir: layers.work }, Name: 'overlay2' },
    ...sizes,
    Mounts: mountBlock(record, request, (name) => dockerVolumeName(services, name)),
    Config,
    NetworkSettings: networkBlock(services, record, request, { running, exposed: Object.keys(Config.ExposedPorts ?? {}) }),
  };
}

/** Bytes of what the container wrote, and with those of its image. */
export async function sizesOf({ images }: Pick<ApiServices, 'images'>, { bundle, imageId }: { readonly bundle: string; readonly imageId: string }): Promise<{ readonly SizeRw: number; readonly SizeRootFs: number }> {
  const [written, image] = await Promise.all([diskBytes(join(bundle, 'upper')), images.inspect(imageId).then(({ size }) => size, () => 0)]);
  return { SizeRw: written, SizeRootFs: image + written };
}
