import type { ContainerSpecInput } from '../../translate/draft.ts';
import type { Field } from '../../translate/field.ts';
import { FieldError } from '../../translate/problem-list.ts';
import { entriesOf, fieldsAmong, flagOf, integerOf, isMap, itemsOf, numberOf, textOf } from '../../translate/read-field.ts';
import { dockerBytes } from '../../translate/units.ts';
import { type Handler, type Handlers, put, refused, type Service, unheard } from './handler.ts';

type Resources = NonNullable<ContainerSpecInput['resources']>;

const limit = (part: (field: Field) => Resources): Handler => (field, service) => put(service, { resources: part(field) }, field);
const bytes = (field: Field): number => dockerBytes(textOf(field));
/** Docker's word for without limit. */
const isUnlimited = (field: Field): boolean => ['0', '-1'].includes(textOf(field));

/** What a service may use. `deploy.resources` says the same in another place. */
export const LIMITS: Handlers = {
  cpus: limit((field) => (isUnlimited(field) ? {} : { cpu: cores(numberOf(field)) })),
  cpu_quota: (field, service) => {
    const period = service.field.get('cpu_period');
    const quota = integerOf(field);
    if (quota > 0) put(service, { resources: { cpu: cores(quota / (period === undefined ? 100_000 : integerOf(period))) } }, field);
  },
  cpu_period: limit((field) => ({ cpuPeriod: integerOf(field) })),
  cpu_shares: limit((field) => (isUnlimited(field) ? {} : { cpuShares: integerOf(field) })),
  cpuset: limit((field) => ({ cpusetCpus: textOf(field) })),
  cpu_rt_runtime: refused('the real-time scheduler for containers is not supported'),
  cpu_rt_period: refused('the real-time scheduler for containers is not supported'),
  cpu_count: refused('is for Windows', 'use cpus'),
  cpu_percent: refused('is for Windows', 'use cpus'),
  mem_limit: limit((field) => (isUnlimited(field) ? {} : { memory: bytes(field) })),
  mem_reservation: limit((field) => (isUnlimited(field) ? {} : { memoryReservation: bytes(field) })),
  memswap_limit: limit((field) => (isUnlimited(field) ? {} : { memorySwap: bytes(field) })),
  mem_swappiness: limit((field) => ({ memorySwappiness: integerOf(field) })),
  oom_kill_disable: limit((field) => (flagOf(field) ? { oomKillDisable: true } : {})),
  oom_score_adj: (field, service) => put(service, { oomScoreAdj: integerOf(field) }, field),
  pids_limit: limit((field) => (isUnlimited(field) ? {} : { pids: integerOf(field) })),
  blkio_config: limit((field) => ({ blockIO: blockIO(field) })),
  shm_size: (field, service) => put(service, { shmSize: bytes(field) }, field),
  storage_opt: refused('a limit of the files of a container is not supported'),
  ulimits: (field, service) => {
    for (const [name, value] of entriesOf(field)) put(service, { ulimits: [ulimit(name, value)] }, value);
  },
  sysctls: (field, service) => {
    for (const item of isMap(field) ? [...field.value] : itemsOf(field).map((one): [string, Field] => split(one))) put(service, { sysctls: [{ name: item[0], value: textOf(item[1]) }] }, item[1]);
  },
  scale: unheard,
};

/** `deploy.resources`. */
export function deployResources(field: Field, service: Service): void {
  const { limits, reservations } = fieldsAmong(field, ['limits', 'reservations']);
  if (limits !== undefined) {
    const { cpus, memory, pids } = fieldsAmong(limits, ['cpus', 'memory', 'pids']);
    if (cpus !== undefined) LIMITS['cpus']?.(cpus, service);
    if (memory !== undefined) LIMITS['mem_limit']?.(memory, service);
    if (pids !== undefined) LIMITS['pids_limit']?.(pids, service);
  }
  if (reservations !== undefined) {
    const { cpus, memory, devices, generic_resources: generic } = fieldsAmong(reservations, ['cpus', 'memory', 'devices', 'generic_resources']);
    for (const other of [devices, generic]) if (other !== undefined) throw new FieldError(other, 'devices are not reserved for containers', 'leave it out', true);
    if (cpus !== undefined) service.project.problems.warn(cpus, 'CPUs are not kept free for a container');
    if (memory !== undefined) LIMITS['mem_reservation']?.(memory, service);
  }
}

/** Cores as a quantity in thousandths. */
function cores(count: number): string {
  return `${Math.ceil(count * 1000 - 1e-6)}m`;
}

type Ulimit = NonNullable<ContainerSpecInput['ulimits']>[number];

function ulimit(name: string, field: Field): Ulimit {
  const of = (soft: number, hard?: number): Ulimit => ({ name: name as Ulimit['name'], soft, ...(hard !== undefined && { hard }) });
  if (!isMap(field)) return of(integerOf(field));
  const { soft, hard } = fieldsAmong(field, ['soft', 'hard']);
  if (soft === undefined || hard === undefined) throw new FieldError(field, 'has not both of soft and hard');
  return of(integerOf(soft), integerOf(hard));
}

function split(field: Field): [string, Field] {
  const [name = '', ...value] = textOf(field).split('=');
  return [name, field.with(value.join('='))];
}

type BlockIO = NonNullable<Resources['blockIO']>;

const RATES = {
  device_read_bps: 'throttleReadBpsDevice',
  device_write_bps: 'throttleWriteBpsDevice',
  device_read_iops: 'throttleReadIOPSDevice',
  device_write_iops: 'throttleWriteIOPSDevice',
} as const;

function blockIO(field: Field): BlockIO {
  const given = fieldsAmong(field, ['weight', 'weight_device', 'device_read_bps', 'device_write_bps', 'device_read_iops', 'device_write_iops']);
  const result: BlockIO = {
    ...(given.weight !== undefined && { weight: integerOf(given.weight) }),
    ...(given.weight_device !== undefined && { weightDevice: itemsOf(given.weight_device).map((item) => ({ path: pathOf(item), weight: integerOf(item.get('weight') ?? item) })) }),
  };
  for (const [name, target] of Object.entries(RATES)) {
    const rates = given[name as keyof typeof RATES];
    if (rates !== undefined) result[target] = itemsOf(rates).map((item) => ({ path: pathOf(item), rate: bytes(item.get('rate') ?? item) }));
  }
  return result;
}

const pathOf = (item: Field): string => textOf(item.get('path') ?? item);
