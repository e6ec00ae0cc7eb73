import assert from 'node:assert/strict';
import { test } from 'node:test';
import { filtersOf, queryOf } from '../../../src/cli/docker/filters.ts';
import { portsText } from '../../../src/cli/docker/ports-text.ts';
import { cpuPercent, memoryOf, statsRow, type StatsSample } from '../../../src/cli/docker/stats-rows.ts';

test('ports in a row are one range, where the host has the same ones', () => {
  const tcp = (PrivatePort: number, PublicPort?: number, IP?: string) => ({ PrivatePort, Type: 'tcp', ...(PublicPort !== undefined && { PublicPort }), ...(IP !== undefined && { IP }) });
  assert.equal(portsText([]), '');
  assert.equal(portsText([tcp(80)]), '80/tcp');
  assert.equal(portsText([tcp(81), tcp(80), tcp(90)]), '80-81/tcp, 90/tcp');
  assert.equal(portsText([tcp(80, 8080, '0.0.0.0'), tcp(80, 8080, '::')]), '0.0.0.0:8080->80/tcp, [::]:8080->80/tcp');
  assert.equal(portsText([tcp(80, 80, '0.0.0.0'), tcp(81, 81, '0.0.0.0'), { ...tcp(53), Type: 'udp' }]), '53/udp, 0.0.0.0:80-81->80-81/tcp');
});

test('filters are a map of maps, and refused without a value', () => {
  assert.equal(filtersOf(undefined), undefined);
  assert.deepEqual(JSON.parse(filtersOf(['status=exited', 'label=a=b', 'label=c']) ?? ''), { status: { exited: true }, label: { 'a=b': true, c: true } });
  assert.throws(() => filtersOf(['status']), { code: 'Invalid' });
  assert.equal(queryOf({ all: true, size: false, limit: 3, filters: undefined }), '?all=1&limit=3');
});

const sample: StatsSample = {
  cpu_stats: { cpu_usage: { total_usage: 3e9 }, system_cpu_usage: 20e9, online_cpus: 2 },
  precpu_stats: { cpu_usage: { total_usage: 1e9 }, system_cpu_usage: 10e9 },
  memory_stats: { usage: 3 * 2 ** 20, limit: 2 ** 30, stats: { total_inactive_file: 2 ** 20 } },
  pids_stats: { current: 4 },
  networks: { eth0: { rx_bytes: 1500, tx_bytes: 0 } },
  blkio_stats: { io_service_bytes_recursive: [{ op: 'Read', value: 2_000_000 }, { op: 'write', value: 10 }] },
};

test('what a container takes is shown as docker stats does', () => {
  assert.equal(cpuPercent(sample), 40);
  assert.equal(memoryOf(sample), 2 * 2 ** 20);
  assert.deepEqual(statsRow({ id: 'abcdef0123456789', name: 'web', sample }, false), {
    Container: 'abcdef012345', ID: 'abcdef012345', Name: 'web', CPUPerc: '40.00%', MemUsage: '2MiB / 1GiB', MemPerc: '0.20%', NetIO: '1.5kB / 0B', BlockIO: '2MB / 10B', PIDs: '4',
  });
  assert.equal(statsRow({ id: 'a', name: 'b', sample: undefined }, false)['CPUPerc'], '--');
  assert.equal(cpuPercent({ ...sample, precpu_stats: { cpu_usage: { total_usage: 5e9 } } }), 0);
});
