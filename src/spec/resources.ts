import { z } from 'zod';
import { invalid } from './invalid.ts';
import { NANO, parseQuantity, QUANTITY_MAX_LENGTH, QUANTITY_PATTERN, quantityIn } from './quantity.ts';
import { blockIOSchema } from './block-io.ts';
import { type CelRule, checkedBy, type Finding, foundBy } from './check.ts';
import { grammarString } from './grammar.ts';

const MILLI = NANO / 1000n;
/** The most processors that Linux can be built for on x86-64 (CONFIG_NR_CPUS). */
const MAX_CPUS = 8192;
/** Less than this does not reliably carry a process through execve(2): the kernel charges page tables, stacks and per-CPU batches to the cgroup. */
const MIN_MEMORY = 4n * 1024n ** 2n;
/** What 52 bits of physical address reach; also exact as a JavaScript number. */
const MAX_MEMORY = 2n ** 52n;
const PAGE = 4096n;
const MIN_VOLUME = 1024n ** 2n;
/** The kernel's PID_MAX_LIMIT. */
const MAX_PIDS = 2 ** 22;

/** A container's limits in the units that cgroups take; what is undefined is unlimited. */
export interface ResolvedResources {
  readonly cpuMillicores?: number;
  readonly memoryBytes?: number;
  readonly memoryReservationBytes?: number;
  /** With `memoryBytes`. */
  readonly memorySwapBytes?: number;
  readonly pids?: number;
}

/** Thousandths of a CPU, at least 1, rounded up. Throws `Invalid`. */
export function parseCpu(cpu: string | number): number {
  const millis = quantityIn(parseQuantity(cpu), MILLI);
  if (millis < 1n) throw invalid(`${cpu} is too little CPU`, 'give at least 1m; leave cpu out for no limit');
  if (millis > BigInt(MAX_CPUS) * 1000n) throw invalid(`${cpu} CPUs is more than a machine can have`, `give at most ${MAX_CPUS}; 500m is half a CPU`);
  return Number(millis);
}

/** Bytes, 4Mi to 4Pi, rounded up. Throws `Invalid`. */
export function parseMemory(memory: string | number): number {
  return parseBytes(memory, MIN_MEMORY, '4Mi');
}

/** Bytes of a tmpfs, a page to 4Pi, rounded up. Throws `Invalid`. */
export function parseTmpfsSize(size: string | number): number {
  return parseBytes(size, PAGE, '4Ki');
}

function parseBytes(text: string | number, least: bigint, leastText: string, what = 'memory'): number {
  const bytes = quantityIn(parseQuantity(text), NANO);
  if (bytes < least) {
    const thousandths = /^[0-9.]+m$/.test(String(text));
    throw invalid(`${text} is too little ${what}`, thousandths ? `m means thousandths of a byte; did you mean ${text}`.replace(/m$/, 'Mi?') : `give at least ${leastText}; leave it out for no limit`);
  }
  if (bytes > MAX_MEMORY) throw invalid(`${text} is more ${what} than a machine can have`, 'give at most 4Pi');
  return Number(bytes);
}

const MIN_BIT_RATE = 1000n;
const MAX_BIT_RATE = 10n ** 15n;

/** Bits per second, 1k to 1P, rounded up. Throws `Invalid`. */
export function parseBitRate(rate: string | number): number {
  const bits = quantityIn(parseQuantity(rate), NANO);
  if (bits < MIN_BIT_RATE) throw invalid(`${rate} bits per second are too few`, 'give at least 1k; 10M are ten million bits per second; leave it out for no limit');
  if (bits > MAX_BIT_RATE) throw invalid(`${rate} bits per second are more than any link has`, 'give at most 1P; leave it out for no limit');
  return Number(bits);
}

/** A field holding a quantity as a string, or as a number where it needs no suffix. */
function quantityField(parse: (value: string | number) => number, rules: readonly CelRule[]) {
  return z
    .union([z.number(), z.string()])
    .check(
      checkedBy((value: string | number) => {
        parse(value);
        return value;
      }),
    )
    .meta({
      'x-kubernetes-int-or-string': true,
      pattern: QUANTITY_PATTERN.source,
      maxLength: QUANTITY_MAX_LENGTH,
      'x-kubernetes-validations': rules,
    });
}

function range(least: string, most: string): CelRule[] {
  const value = 'quantity(string(self))';
  return [{ rule: `${value}.compareTo(quantity('${least}')) >= 0 && ${value}.compareTo(quantity('${most}')) <= 0`, message: `must be from ${least} to ${most}` }];
}

export const tmpfsSizeSchema = quantityField(parseTmpfsSize, range('4Ki', '4Pi')).meta({
  description: 'The most that it may hold, from `4Ki` to `4Pi`: `64Mi`. Without it, half of the machine\'s memory. What it holds counts as memory of the container.',
});

export const shmSizeSchema = quantityField(parseTmpfsSize, range('4Ki', '4Pi')).meta({
  description: 'The most that `/dev/shm` may hold, from `4Ki` to `4Pi`. What it holds counts as memory of the container.',
});

/** Bytes of a volume, 1Mi to 4Pi, rounded up. Throws `Invalid`. */
export function parseVolumeSize(size: string | number): number {
  return parseBytes(size, MIN_VOLUME, '1Mi', 'room');
}

export const volumeSizeSchema = quantityField(parseVolumeSize, range('1Mi', '4Pi')).meta({
  description: 'The most that it may hold, from `1Mi` to `4Pi`: `10Gi`. Wants a data directory on a file system with project quotas. Without it, as much as there is room.',
});

export const bitRateSchema = (what: string) =>
  quantityField(parseBitRate, range('1k', '1P')).meta({ description: `${what}, in bits per second, from \`1k\` to \`1P\`: \`10M\`. Without it, no limit.` });

/** Bytes of a log file, 4Ki to 4Pi, rounded up. Throws `Invalid`. */
export function parseLogSize(size: string | number): number {
  return parseBytes(size, PAGE, '4Ki', 'room for a log');
}

export const logSizeSchema = quantityField(parseLogSize, range('4Ki', '4Pi')).meta({
  description: 'The most that a log file may hold, from `4Ki` to `4Pi`: `10Mi`. Before it would grow beyond that, a new one is begun.',
});

/** The kernel's default period, in microseconds. */
export const CPU_PERIOD = 100_000;
/** The kernel's default share. */
export const CPU_SHARES = 1024;
/** Lists of numbers of CPUs and memory nodes, cpuset(7). */
const NUMBERS = { pattern: /^[0-9]{1,5}(-[0-9]{1,5})?(,[0-9]{1,5}(-[0-9]{1,5})?)*$/, maxLength: 512, what: 'a list of numbers such as 0-3,7' };

const memory = () => quantityField(parseMemory, range('4Mi', '4Pi'));

const resourcesFields = z.strictObject({
  cpu: quantityField(parseCpu, range('1m', String(MAX_CPUS)))
    .meta({
      description:
        'CPU time per second, in cores: `2`, `0.5` or `500m`; from `1m` to `8192`. The kernel measures no less than `10m` of its default period, so less is taken for that; finer values are rounded up to the next thousandth. A custom resource takes a fraction only in quotes or as `500m`. Without it, no limit.',
    })
    .optional(),
  cpuPeriod: z
    .int()
    .min(1000)
    .max(1_000_000)
    .meta({ description: `With \`cpu\`, the time over which it is measured, in microseconds. Without it, ${CPU_PERIOD}.` })
    .optional(),
  cpuShares: z
    .int()
    .min(2)
    .max(262_144)
    .meta({ description: `Its share of the CPUs against other containers when all want more than there is: one with 2048 gets twice as much as one with 1024. Without it, ${CPU_SHARES}.` })
    .optional(),
  cpusetCpus: grammarString(NUMBERS).meta({ description: 'The CPUs to run on, `0-3,7`. Without it, all.' }).optional(),
  cpusetMems: grammarString(NUMBERS).meta({ description: 'The memory nodes (NUMA) to take memory from, `0,1`. Without it, all.' }).optional(),
  memory: memory()
    .meta({
      description:
        'The most memory, in bytes: `64Mi` (binary), `64M` (decimal) or a number; from `4Mi`, with less a process may not even start, to `4Pi`. Above it the kernel kills a process of the container (OOMKilled). Without it, no limit.',
    })
    .optional(),
  memoryReservation: memory()
    .meta({ description: 'What memory it keeps, as far as possible, when the node is short of it; not above `memory`. What it has beyond that is taken from it first.' })
    .optional(),
  memorySwap: memory()
    .meta({ description: 'The most memory and swap together, not below `memory`, which it wants; the same as that means no swap. Without it, as much swap as the node has.' })
    .optional(),
  memorySwappiness: z
    .int()
    .min(0)
    .max(100)
    .meta({ description: "How readily its memory is swapped out: 0 as late as possible, 100 like files. For cgroup version 1 alone. Without it, as the node's." })
    .optional(),
  oomKillDisable: z
    .boolean()
    .meta({ description: 'Let its processes wait for memory at the limit, rather than kill one of them. Wants `memory`, and cgroup version 1.' })
    .optional(),
  pids: z.int().min(1).max(MAX_PIDS).meta({ description: 'The most processes and threads together. Without it, no limit.' }).optional(),
  blockIO: blockIOSchema.optional(),
});

export const resourcesSchema = resourcesFields.check(foundBy(memoryFindings)).meta({
  'x-kubernetes-validations': [
    { rule: `!has(self.memory) || !has(self.memoryReservation) || ${bytesIn('memoryReservation')}.compareTo(${bytesIn('memory')}) <= 0`, message: 'memoryReservation must not be above memory' },
    { rule: `!has(self.memorySwap) || (has(self.memory) && ${bytesIn('memorySwap')}.compareTo(${bytesIn('memory')}) >= 0)`, message: 'memorySwap wants memory, and must not be below it' },
    { rule: '!has(self.oomKillDisable) || !self.oomKillDisable || has(self.memory)', message: 'oomKillDisable wants memory' },
  ],
});

function bytesIn(field: string): string {
  return `quantity(string(self.${field}))`;
}

function memoryFindings({ memory: limit, memoryReservation, memorySwap, oomKillDisable }: z.output<typeof resourcesFields>): Finding[] {
  const bytes = limit === undefined ? undefined : parseMemory(limit);
  const at = (field: string, message: string, fix: string): Finding[] => [{ path: [field], message, fix }];
  return [
    ...(bytes !== undefined && memoryReservation !== undefined && parseMemory(memoryReservation) > bytes ? at('memoryReservation', `is above memory (${limit})`, 'lower it, or raise memory') : []),
    ...(memorySwap !== undefined && bytes === undefined ? at('memorySwap', 'is of memory and swap together, and there is no memory', 'give a limit of memory, too') : []),
    ...(memorySwap !== undefined && bytes !== undefined && parseMemory(memorySwap) < bytes ? at('memorySwap', `is below memory (${limit}), which it includes`, 'raise it; the same as memory means no swap') : []),
    ...(oomKillDisable === true && bytes === undefined ? at('oomKillDisable', 'without a limit of memory would stall the node', 'give a limit of memory, too') : []),
  ];
}

/** The limits of a spec in the kernel's units. Throws `Invalid` for a spec that never went through its schema. */
export function resolveResources(spec: { readonly resources: z.output<typeof resourcesSchema> }): ResolvedResources {
  const { cpu, memory: limit, memoryReservation, memorySwap, pids } = spec.resources;
  return {
    ...(cpu === undefined ? {} : { cpuMillicores: parseCpu(cpu) }),
    ...(limit === undefined ? {} : { memoryBytes: parseMemory(limit) }),
    ...(memoryReservation === undefined ? {} : { memoryReservationBytes: parseMemory(memoryReservation) }),
    ...(memorySwap === undefined ? {} : { memorySwapBytes: parseMemory(memorySwap) }),
    ...(pids === undefined ? {} : { pids }),
  };
}
