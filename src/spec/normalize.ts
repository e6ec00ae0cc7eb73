import type { BlockIO } from './block-io.ts';
import { canonicalCapability } from './capability.ts';
import type { ContainerSpec } from './container.ts';
import { formatDuration, parseDuration } from './duration.ts';
import { formatImageReference, parseImageReference } from './image-reference.ts';
import { formatQuantity, NANO } from './quantity.ts';
import { parseCpu, parseMemory, parseTmpfsSize } from './resources.ts';
import { normalizeContainerNetwork } from './normalize-supplies.ts';
import { canonicalSignal } from './signal.ts';

/** The spec with everything that can be written in several ways written in one, and lists whose order means nothing in order. */
export function normalizeSpec(spec: ContainerSpec): ContainerSpec {
  return {
    ...spec,
    image: formatImageReference(parseImageReference(spec.image)),
    dependsOn: sortedBy(spec.dependsOn, ({ container }) => container),
    env: sortedBy(spec.env, (variable) => variable.name),
    mounts: sortedBy(spec.mounts.map(normalizeMount), (mount) => mount.mountPath),
    ports: sortedBy(spec.ports, (port) => `${port.containerPort}/${port.protocol}/${port.hostIP ?? ''}/${port.hostPort ?? ''}`),
    network: normalizeContainerNetwork(spec.network),
    resources: normalizeResources(spec.resources),
    restartBackoff: {
      initial: duration(spec.restartBackoff.initial),
      max: duration(spec.restartBackoff.max),
      resetAfter: duration(spec.restartBackoff.resetAfter),
    },
    supplementalGroups: [...new Set(spec.supplementalGroups)].toSorted(),
    sysctls: sortedBy(spec.sysctls, ({ name }) => name),
    ulimits: sortedBy(spec.ulimits.map((limit) => ({ hard: limit.soft, ...limit })), ({ name }) => name),
    shmSize: binary(parseTmpfsSize(spec.shmSize)),
    umask: spec.umask.padStart(4, '0'),
    stopSignal: canonicalSignal(spec.stopSignal),
    capabilities: { add: capabilities(spec.capabilities.add), drop: capabilities(spec.capabilities.drop) },
  };
}

function normalizeMount(mount: ContainerSpec['mounts'][number]): ContainerSpec['mounts'][number] {
  if (mount.tmpfs?.size === undefined) return mount;
  return { ...mount, tmpfs: { ...mount.tmpfs, size: binary(parseTmpfsSize(mount.tmpfs.size)) } };
}

function normalizeResources(resources: ContainerSpec['resources']): ContainerSpec['resources'] {
  return {
    ...resources,
    ...(resources.cpu === undefined ? {} : { cpu: formatQuantity({ nanos: BigInt(parseCpu(resources.cpu)) * (NANO / 1000n), format: 'DecimalSI' }) }),
    ...(resources.memory === undefined ? {} : { memory: binary(parseMemory(resources.memory)) }),
    ...(resources.memoryReservation === undefined ? {} : { memoryReservation: binary(parseMemory(resources.memoryReservation)) }),
    ...(resources.memorySwap === undefined ? {} : { memorySwap: binary(parseMemory(resources.memorySwap)) }),
    ...(resources.blockIO === undefined ? {} : { blockIO: normalizeBlockIO(resources.blockIO) }),
  };
}

function normalizeBlockIO(blockIO: BlockIO): BlockIO {
  const byPath = <T extends { readonly path: string }>(devices: readonly T[]): T[] => sortedBy(devices, ({ path }) => path);
  return {
    ...blockIO,
    weightDevice: byPath(blockIO.weightDevice),
    throttleReadBpsDevice: byPath(blockIO.throttleReadBpsDevice),
    throttleWriteBpsDevice: byPath(blockIO.throttleWriteBpsDevice),
    throttleReadIOPSDevice: byPath(blockIO.throttleReadIOPSDevice),
    throttleWriteIOPSDevice: byPath(blockIO.throttleWriteIOPSDevice),
  };
}

const binary = (bytes: number): string => formatQuantity({ nanos: BigInt(bytes) * NANO, format: 'BinarySI' });
const duration = (text: string): string => formatDuration(parseDuration(text));
const capabilities = (names: readonly string[]): string[] => [...new Set(names.map(canonicalCapability))].toSorted();

function sortedBy<T>(items: readonly T[], keyOf: (item: T) => string): T[] {
  return items.toSorted((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
}
