import type { FileContent, Native } from '../../native/native.ts';
import type { BlockCounter, ContainerUsage } from '../insight.ts';
import { type CounterNames, counterFiles, flatKeyed, textsByName } from './cgroup-counters.ts';
import type { CgroupLayout } from './cgroup-layout.ts';
import { interfaceStats } from './interface-stats.ts';
import type { ManagedContainer } from './managed-container.ts';

/** USER_HZ, the unit of /proc/stat and cpuacct.stat, in nanoseconds: 100 a second on every architecture that Linux has now (time(7)). */
const TICK = 1e7;

const FILES: CounterNames = {
  cpuacct: { 1: ['cpuacct.usage', 'cpuacct.stat', 'cpuacct.usage_percpu'], 2: [] },
  cpu: { 1: ['cpu.stat'], 2: ['cpu.stat'] },
  memory: { 1: ['memory.usage_in_bytes', 'memory.max_usage_in_bytes', 'memory.failcnt', 'memory.limit_in_bytes', 'memory.stat'], 2: ['memory.current', 'memory.peak', 'memory.max', 'memory.stat'] },
  pids: { 1: ['pids.current', 'pids.max'], 2: ['pids.current', 'pids.max'] },
  blkio: { 1: ['blkio.throttle.io_service_bytes_recursive', 'blkio.throttle.io_serviced_recursive'], 2: ['io.stat'] },
};

/** Everything that the kernel counts of one container; undefined when it went while it was read. */
export async function readUsage(native: Native, layout: CgroupLayout, { paths, run, record }: ManagedContainer): Promise<ContainerUsage | undefined> {
  if (!run) return undefined;
  const files = counterFiles(layout, paths.cgroup, FILES);
  const { mode } = record.container.spec.network;
  const hasOwnNetwork = mode === 'Bridge' || mode === 'Container';
  const [node, memory, network, ...contents] = await native.readFiles(['/proc/stat', '/proc/meminfo', `/proc/${run.init.pid}/net/dev`, ...files]);
  return usageFrom(textsByName(files, contents), { stat: textOf(node), memory: textOf(memory), network: hasOwnNetwork ? network : undefined });
}

/** Pure: what the files say, by their names; `node` is what the node's own say. */
export function usageFrom(files: ReadonlyMap<string, string>, node: { readonly stat: string; readonly memory: string; readonly network?: FileContent | undefined }): ContainerUsage | undefined {
  const text = (name: string): string => files.get(name)?.trim() ?? '';
  if (text('pids.current') === '' && text('memory.stat') === '') return undefined;
  const number = (name: string): number => Number(text(name) || 0);
  const cpu = table(text('cpu.stat'));
  const isV1 = text('cpuacct.usage') !== '';
  const ticks = table(text('cpuacct.stat'));
  const limit = pidLimit(text('pids.max'));
  const memoryV1 = text('memory.usage_in_bytes') !== '';
  const maxUsage = memoryV1 ? text('memory.max_usage_in_bytes') : text('memory.peak');
  return {
    cpu: isV1
      ? { usage: number('cpuacct.usage'), user: (ticks['user'] ?? 0) * TICK, system: (ticks['system'] ?? 0) * TICK, perProcessor: text('cpuacct.usage_percpu').split(/\s+/).filter(Boolean).map(Number), ...periods(cpu, 'throttled_time', 1) }
      : { usage: (cpu['usage_usec'] ?? 0) * 1000, user: (cpu['user_usec'] ?? 0) * 1000, system: (cpu['system_usec'] ?? 0) * 1000, perProcessor: [], ...periods(cpu, 'throttled_usec', 1000) },
    nodeCpu: nodeCpu(node.stat),
    memory: {
      usage: memoryV1 ? number('memory.usage_in_bytes') : number('memory.current'),
      ...(maxUsage !== '' && { maxUsage: Number(maxUsage) }),
      ...(memoryV1 && { failures: number('memory.failcnt') }),
      limit: memoryLimit(memoryV1 ? text('memory.limit_in_bytes') : text('memory.max'), node.memory),
      stat: table(text('memory.stat')),
    },
    pids: { current: number('pids.current'), ...(limit !== undefined && { limit }) },
    block: files.has('io.stat') ? ioStat(text('io.stat')) : { bytes: blkio(text('blkio.throttle.io_service_bytes_recursive')), operations: blkio(text('blkio.throttle.io_serviced_recursive')) },
    network: interfaceStats(node.network),
  };
}

function periods(cpu: Readonly<Record<string, number>>, throttled: string, unit: number) {
  return { periods: cpu['nr_periods'] ?? 0, throttledPeriods: cpu['nr_throttled'] ?? 0, throttledTime: (cpu[throttled] ?? 0) * unit };
}

/** The first line of /proc/stat: user to steal, of all processors (proc_stat(5)). */
function nodeCpu(stat: string): ContainerUsage['nodeCpu'] {
  const total = /^cpu +(.*)$/m.exec(stat)?.[1]?.split(' ').slice(0, 8).reduce((sum, ticks) => sum + Number(ticks), 0) ?? 0;
  return { usage: total * TICK, processors: stat.match(/^cpu[0-9]+ /gm)?.length ?? 0 };
}

/** No limit reads as `max` or as a number beyond any memory; what counts then is what the node has. */
function memoryLimit(text: string, meminfo: string): number {
  const node = Number(/^MemTotal: +([0-9]+) kB$/m.exec(meminfo)?.[1] ?? 0) * 1024;
  const limit = /^[0-9]+$/.test(text) ? Number(text) : node;
  return Math.min(limit, node);
}

function pidLimit(text: string): number | undefined {
  return /^[0-9]+$/.test(text) ? Number(text) : undefined;
}

/** `8:0 Read 4096` a line (kernel, cgroup-v1/blkio-controller). */
function blkio(text: string): BlockCounter[] {
  return text.split('\n').flatMap((line) => {
    const match = /^([0-9]+):([0-9]+) (\w+) ([0-9]+)$/.exec(line);
    return match ? [{ major: Number(match[1]), minor: Number(match[2]), operation: match[3] ?? '', value: Number(match[4]) }] : [];
  });
}

/** `8:0 rbytes=1 wbytes=2 rios=3 wios=4 …` a line (kernel, cgroup-v2, "io.stat"). */
function ioStat(text: string): ContainerUsage['block'] {
  const rows = text.split('\n').flatMap((line) => {
    const match = /^([0-9]+):([0-9]+) (.*)$/.exec(line);
    return match ? [{ major: Number(match[1]), minor: Number(match[2]), values: Object.fromEntries((match[3] ?? '').split(' ').map((pair) => pair.split('='))) as Record<string, string> }] : [];
  });
  const counters = (names: Readonly<Record<string, string>>): BlockCounter[] =>
    rows.flatMap(({ major, minor, values }) => Object.entries(names).map(([operation, key]) => ({ major, minor, operation, value: Number(values[key] ?? 0) })));
  return { bytes: counters({ Read: 'rbytes', Write: 'wbytes' }), operations: counters({ Read: 'rios', Write: 'wios' }) };
}

function table(text: string): Record<string, number> {
  return Object.fromEntries(flatKeyed(text));
}

function textOf(content: FileContent | undefined): string {
  return content && 'text' in content ? content.text : '';
}
