import { setTimeout as sleep } from 'node:timers/promises';
import type { ContainerUsage } from '../../engine/insight.ts';
import type { ApiServices } from '../v1/services.ts';
import type { DockerCall } from './call.ts';
import { dockerNameOf, type FoundContainer, findContainer } from './container-lookup.ts';
import { NEVER } from './container-state.ts';
import { sendObjects } from './json-stream.ts';

/** The engine's own pace. */
const INTERVAL_MS = 1000;

interface Reading {
  readonly at: string;
  readonly usage: ContainerUsage | undefined;
}

/** `GET /containers/{id}/stats`: an object a second, or one, which tells of a second unless it is to be `one-shot`. */
export async function stats(call: DockerCall, services: ApiServices): Promise<void> {
  const found = findContainer(services, call.params['id'] ?? '');
  const stream = call.query.flag('stream', true);
  await sendObjects(call, statsOf(services, found, { stream, oneShot: !stream && call.query.flag('one-shot'), signal: call.signal }), { separator: '\n', headAtOnce: true });
}

async function* statsOf(services: ApiServices, { id, view }: FoundContainer, { stream, oneShot, signal }: { readonly stream: boolean; readonly oneShot: boolean; readonly signal: AbortSignal }): AsyncGenerator<unknown, void, void> {
  const name = `/${dockerNameOf(view.container)}`;
  const read = async (): Promise<Reading> => ({ usage: await services.insight.usage(id), at: new Date().toISOString() });
  const isThere = (): boolean => services.reconciler.view(view.name)?.status.containerID === id;
  let before: Reading | undefined;
  let present = await read();
  if (stream || oneShot || present.usage === undefined) yield statsObject(id, name, before, present);
  if (oneShot || (!stream && present.usage === undefined)) return;
  while (isThere()) {
    await sleep(INTERVAL_MS, undefined, { signal });
    if (!isThere()) return;
    before = present;
    present = await read();
    yield statsObject(id, name, before, present);
    if (!stream) return;
  }
}

/** The API's `ContainerStats`. One that does not run has numbers of nothing, as the engine's. */
export function statsObject(id: string, name: string, before: Reading | undefined, { usage, at }: Reading) {
  const networks = Object.fromEntries(
    (usage?.network ?? []).map((each) => [
      each.interface,
      {
        rx_bytes: each.receiveBytes,
        rx_packets: each.receivePackets,
        rx_errors: each.receiveErrors,
        rx_dropped: each.receiveDropped,
        tx_bytes: each.transmitBytes,
        tx_packets: each.transmitPackets,
        tx_errors: each.transmitErrors,
        tx_dropped: each.transmitDropped,
      },
    ]),
  );
  return {
    read: usage === undefined ? NEVER : at,
    preread: before?.usage === undefined ? NEVER : before.at,
    pids_stats: usage === undefined ? {} : { current: usage.pids.current, ...(usage.pids.limit !== undefined && { limit: usage.pids.limit }) },
    blkio_stats: blockBlock(usage),
    num_procs: 0,
    storage_stats: {},
    cpu_stats: cpuBlock(usage),
    precpu_stats: cpuBlock(before?.usage),
    memory_stats: memoryBlock(usage),
    name,
    id,
    ...(Object.keys(networks).length > 0 && { networks }),
  };
}

function cpuBlock(usage: ContainerUsage | undefined) {
  if (usage === undefined) return { cpu_usage: { total_usage: 0, usage_in_kernelmode: 0, usage_in_usermode: 0 }, throttling_data: { periods: 0, throttled_periods: 0, throttled_time: 0 } };
  const { cpu, nodeCpu } = usage;
  return {
    cpu_usage: { total_usage: cpu.usage, ...(cpu.perProcessor.length > 0 && { percpu_usage: cpu.perProcessor }), usage_in_kernelmode: cpu.system, usage_in_usermode: cpu.user },
    system_cpu_usage: nodeCpu.usage,
    online_cpus: nodeCpu.processors,
    throttling_data: { periods: cpu.periods, throttled_periods: cpu.throttledPeriods, throttled_time: cpu.throttledTime },
  };
}

function memoryBlock(usage: ContainerUsage | undefined) {
  if (usage === undefined) return {};
  const { memory } = usage;
  return { usage: memory.usage, ...(memory.maxUsage !== undefined && { max_usage: memory.maxUsage }), stats: memory.stat, ...(memory.failures !== undefined && { failcnt: memory.failures }), limit: memory.limit };
}

function blockBlock(usage: ContainerUsage | undefined) {
  const rows = (counters: ContainerUsage['block']['bytes']) => counters.map(({ major, minor, operation: op, value }) => ({ major, minor, op, value }));
  return {
    io_service_bytes_recursive: usage === undefined ? null : rows(usage.block.bytes),
    io_serviced_recursive: usage === undefined ? null : rows(usage.block.operations),
    io_queue_recursive: null,
    io_service_time_recursive: null,
    io_wait_time_recursive: null,
    io_merged_recursive: null,
    io_time_recursive: null,
    sectors_recursive: null,
  };
}
