import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { pino } from 'pino';
import type { ContainerId, ContainerStats } from '../../../src/engine/engine.ts';
import { systemClock } from '../../../src/lib/clock.ts';
import { createMetrics, type MetricsOptions } from '../../../src/metrics/metrics.ts';
import type { ContainerView } from '../../../src/reconcile/view.ts';
import { containerSchema } from '../../../src/spec/container.ts';
import { parseContainerName } from '../../../src/spec/name.ts';

function statsOf(name: string, stats: Partial<ContainerStats> = {}): ContainerStats {
  const id = Buffer.from(name).toString('hex').padEnd(64, '0') as ContainerId;
  return {
    name: parseContainerName(name),
    id,
    cgroupPath: `/mooring-default/${id}`,
    image: 'mooring.local/busybox:latest',
    startedAt: 1_700_000_000.25,
    cpuUsageSeconds: 12.5,
    cpuUserSeconds: 10,
    cpuSystemSeconds: 2.5,
    cpuThrottledSeconds: 0.125,
    memoryUsageBytes: 4096,
    memoryWorkingSetBytes: 2048,
    memoryRssBytes: 1024,
    memoryCacheBytes: 512,
    pids: 3,
    oomKills: 1,
    logDroppedLines: 12,
    logDroppedBytes: 3456,
    network: [],
    limits: {},
    ...stats,
  };
}

function viewOf(name: string, phase: string, restartCount: number): ContainerView {
  const container = containerSchema.parse({ apiVersion: 'mooring.dev/v1alpha1', kind: 'Container', metadata: { name }, spec: { image: 'busybox' } });
  return { name: parseContainerName(name), container, generation: 1, status: { conditions: [], observedGeneration: 1, restartCount }, phase };
}

function create(options: Partial<MetricsOptions> = {}) {
  return createMetrics({
    engine: { stats: async () => [] },
    clock: systemClock,
    logger: pino({ level: 'silent' }),
    views: () => [],
    queue: () => ({ depth: 0, unfinished: () => ({ totalSeconds: 0, longestSeconds: 0 }) }),
    concurrency: 16,
    problems: () => [],
    ...options,
  });
}

/** The value of one line of the page. */
function valueOf(page: string, line: string): number | undefined {
  const found = page.split('\n').find((each) => each.startsWith(`${line} `));
  return found === undefined ? undefined : Number(found.slice(line.length + 1));
}

const ETH0 = { interface: 'eth0', receiveBytes: 1_000, receivePackets: 2, receiveErrors: 3, receiveDropped: 4, transmitBytes: 5_000, transmitPackets: 6, transmitErrors: 7, transmitDropped: 8 };
const WEB = 'container="web",namespace="default",name="default/web",image="mooring.local/busybox:latest",id="/mooring-default/776562';

test('the page is clean under promtool check metrics', async () => {
  const metrics = create({
    engine: { stats: async () => [statsOf('web', { network: [ETH0], limits: { memoryBytes: 1024, cpuCores: 0.5, pids: 9 } }), statsOf('odd "name\\\n')] },
    views: () => [viewOf('web', 'Running', 2)],
    problems: () => [{ file: 'a b"c.yaml', at: 'a b"c.yaml:1:1', field: '', message: 'no' }],
  });
  metrics.observer.queue.added(1);
  metrics.observer.queue.taken(0.001, 0);
  metrics.observer.reconciled('success', 0.002);
  metrics.observer.desiredToRunning(0.01);
  metrics.observer.driftDetected('Process');
  const { status, stdout, stderr } = spawnSync('promtool', ['check', 'metrics'], { input: await metrics.render(), encoding: 'utf8' });
  assert.equal(`${stdout}${stderr}`, '');
  assert.equal(status, 0);
});

test("a container's counters are the kernel's, under cAdvisor's names", async () => {
  const metrics = create({ engine: { stats: async () => [statsOf('web', { network: [ETH0], limits: { memoryBytes: 1024, cpuCores: 0.5, pids: 9 } })] } });
  const page = await metrics.render();
  const line = (metric: string, extra = ''): number | undefined => {
    const found = page.split('\n').find((each) => each.startsWith(`${metric}{${extra}${WEB}`));
    return found === undefined ? undefined : Number(found.split(' ').at(-1));
  };
  assert.equal(line('container_cpu_usage_seconds_total', 'cpu="total",'), 12.5);
  assert.equal(line('container_cpu_user_seconds_total'), 10);
  assert.equal(line('container_cpu_system_seconds_total'), 2.5);
  assert.equal(line('container_cpu_cfs_throttled_seconds_total'), 0.125);
  assert.equal(line('container_memory_usage_bytes'), 4096);
  assert.equal(line('container_memory_working_set_bytes'), 2048);
  assert.equal(line('container_memory_rss'), 1024);
  assert.equal(line('container_memory_cache'), 512);
  assert.equal(line('container_processes'), 3);
  assert.equal(line('container_threads_max'), 9);
  assert.equal(line('container_start_time_seconds'), 1_700_000_000.25);
  assert.equal(line('container_oom_events_total'), 1);
  assert.equal(line('mooring_container_log_dropped_lines_total'), 12);
  assert.equal(line('mooring_container_log_dropped_bytes_total'), 3456);
  assert.equal(line('container_network_receive_bytes_total', 'interface="eth0",'), 1_000);
  assert.equal(line('container_network_transmit_packets_dropped_total', 'interface="eth0",'), 8);
  assert.equal(line('container_spec_memory_limit_bytes'), 1024);
  assert.equal(line('container_spec_cpu_quota'), 50_000);
  assert.equal(line('container_spec_cpu_period'), 100_000);
  assert.ok(Math.abs((line('container_last_seen') ?? 0) - Date.now() / 1000) < 60);
});

test('counters follow the kernel up and, with a new cgroup, down; those of removed containers vanish', async () => {
  let all = [statsOf('web'), statsOf('job')];
  const metrics = create({ engine: { stats: async () => all } });
  const usage = /container_cpu_usage_seconds_total\{.*container="(\w+)".* ([\d.]+)/g;
  const read = async (): Promise<string[]> => [...(await metrics.render()).matchAll(usage)].map(([, name, value]) => `${name} ${value}`);
  assert.deepEqual(await read(), ['web 12.5', 'job 12.5']);
  assert.deepEqual(await read(), ['web 12.5', 'job 12.5'], 'a scrape changes nothing');
  all = [statsOf('web', { cpuUsageSeconds: 0.5 })];
  assert.deepEqual(await read(), ['web 0.5']);
});

test('scrapes at the same time share one reading; the next one reads again', async () => {
  let readings = 0;
  const metrics = create({
    engine: {
      stats: async () => {
        readings += 1;
        return [];
      },
    },
  });
  await Promise.all([metrics.render(), metrics.render(), metrics.render()]);
  assert.equal(readings, 1);
  await metrics.render();
  assert.equal(readings, 2);
});

test('where the counters cannot be read, the rest is served', async () => {
  let fail = false;
  const metrics = create({ engine: { stats: async () => (fail ? Promise.reject(new Error('gone')) : [statsOf('web')]) } });
  assert.match(await metrics.render(), /container_processes\{/);
  fail = true;
  const page = await metrics.render();
  assert.doesNotMatch(page, /container_processes\{/);
  assert.equal(valueOf(page, 'mooring_container_stats_errors_total'), 1);
  assert.match(page, /^mooring_build_info\{version="\d+\.\d+\.\d+",node="v24\.[\d.]+"\} 1$/m);
});

test('counters that never come do not hold up the page', async () => {
  const impatient = { ...systemClock, setTimeout: (callback: () => void) => setTimeout(callback, 0) };
  const metrics = create({ engine: { stats: () => new Promise(() => {}) }, clock: impatient });
  assert.equal(valueOf(await metrics.render(), 'mooring_container_stats_errors_total'), 1);
});

test('what the reconciler does is counted', async () => {
  const metrics = create({
    views: () => [viewOf('web', 'Running', 2), viewOf('api', 'Running', 0), viewOf('job', 'Completed', 0)],
    queue: () => ({ depth: 4, unfinished: () => ({ totalSeconds: 1.5, longestSeconds: 1 }) }),
  });
  const { observer } = metrics;
  for (const depth of [1, 2]) observer.queue.added(depth);
  for (const waited of [0.1, 0.2]) observer.queue.taken(waited, 0);
  observer.queue.done(0.5);
  observer.queue.retried();
  observer.reconciled('success', 0.02);
  observer.reconciled('error', 0.02);
  observer.driftDetected('Limits');
  observer.driftRepaired('Limits');
  observer.desiredToRunning(0.03);
  const page = await metrics.render();
  const queue = '{name="container",controller="container"}';
  const expected: Record<string, number> = {
    'controller_runtime_reconcile_total{controller="container",result="success"}': 1,
    'controller_runtime_reconcile_total{controller="container",result="requeue_after"}': 0,
    'controller_runtime_reconcile_errors_total{controller="container"}': 1,
    'controller_runtime_reconcile_time_seconds_count{controller="container"}': 2,
    'controller_runtime_active_workers{controller="container"}': 1,
    'controller_runtime_max_concurrent_reconciles{controller="container"}': 16,
    [`workqueue_depth${queue}`]: 4,
    [`workqueue_adds_total${queue}`]: 2,
    [`workqueue_retries_total${queue}`]: 1,
    [`workqueue_queue_duration_seconds_count${queue}`]: 2,
    [`workqueue_work_duration_seconds_sum${queue}`]: 0.5,
    [`workqueue_unfinished_work_seconds${queue}`]: 1.5,
    [`workqueue_longest_running_processor_seconds${queue}`]: 1,
    'mooring_drift_detected_total{kind="Limits"}': 1,
    'mooring_drift_repaired_total{kind="Limits"}': 1,
    'mooring_drift_detected_total{kind="Process"}': 0,
    'mooring_desired_to_running_seconds_bucket{le="0.05"}': 1,
    'mooring_container_restarts_total{namespace="default",container="web"}': 2,
    'mooring_containers{phase="Running"}': 2,
    'mooring_containers{phase="Completed"}': 1,
  };
  assert.deepEqual(Object.fromEntries(Object.keys(expected).map((line) => [line, valueOf(page, line)])), expected);
});

test('problems with specs stand by file while they last, and are counted as they come', async () => {
  let problems = ['a.yaml', 'a.yaml', 'b.yaml'].map((file) => ({ file, at: `${file}:1:1`, field: 'spec', message: 'no' }));
  const metrics = create({ problems: () => problems });
  metrics.specRejected(problems);
  const before = await metrics.render();
  assert.equal(valueOf(before, 'mooring_spec_errors{file="a.yaml"}'), 2);
  assert.equal(valueOf(before, 'mooring_spec_errors{file="b.yaml"}'), 1);
  problems = [];
  const after = await metrics.render();
  assert.doesNotMatch(after, /mooring_spec_errors\{/);
  assert.equal(valueOf(after, 'mooring_spec_errors_total'), 3);
});
