import assert from 'node:assert/strict';
import test from 'node:test';
import { pathStat } from '../../../../src/api/docker/container-archive.ts';
import { instantOf } from '../../../../src/api/docker/container-logs.ts';
import { untilOf } from '../../../../src/api/docker/container-prune.ts';
import { commandWords, mergedCommand } from '../../../../src/api/docker/container-request.ts';
import { stateBlock, stateOf, stateText } from '../../../../src/api/docker/container-state.ts';
import { statsObject } from '../../../../src/api/docker/container-stats.ts';
import { parsePs } from '../../../../src/api/docker/container-top.ts';
import { renamed } from '../../../../src/api/docker/container-update.ts';
import { humanDuration } from '../../../../src/api/docker/human-duration.ts';
import { randomName } from '../../../../src/api/docker/random-name.ts';
import { encodeFrame, FrameParser } from '../../../../src/api/docker/websocket.ts';
import { usageFrom } from '../../../../src/engine/containers/usage.ts';
import type { ContainerView } from '../../../../src/reconcile/view.ts';
import { containerSchema } from '../../../../src/spec/container.ts';

const container = (spec: object = {}) => containerSchema.parse({ apiVersion: 'mooring.dev/v1alpha1', kind: 'Container', metadata: { name: 'web' }, spec: { image: 'busybox', ...spec } });

function view(status: Partial<ContainerView['status']>, more: { readonly phase?: string; readonly spec?: object } = {}): ContainerView {
  const { phase = 'Running', spec = {} } = more;
  return { name: 'default/web' as ContainerView['name'], container: container(spec), generation: 1, origin: { source: 'api', location: 'docker' }, status: { conditions: [], observedGeneration: 1, restartCount: 0, ...status }, phase };
}

const STARTED = '2026-01-01T00:00:00.000Z';
const ENDED = '2026-01-01T00:01:00.000Z';
const NOW = Date.parse('2026-01-01T02:01:00.000Z');

test('spans are rounded as Docker rounds them', () => {
  const spans = [[500, 'Less than a second'], [1000, '1 second'], [59_000, '59 seconds'], [60_000, 'About a minute'], [150_000, '2 minutes'], [3_600_000, 'About an hour'], [47 * 3_600_000, '47 hours'], [49 * 3_600_000, '2 days'], [15 * 86_400_000, '2 weeks'], [70 * 86_400_000, '2 months'], [800 * 86_400_000, '2 years']] as const;
  for (const [milliseconds, text] of spans) assert.equal(humanDuration(milliseconds), text);
});

test("a container's state in Docker's words", () => {
  const cases: readonly (readonly [ContainerView, string, string])[] = [
    [view({}, { phase: 'Suspended', spec: { suspend: true } }), 'created', 'Created'],
    [view({ pid: 7, startedAt: STARTED }), 'running', 'Up 2 hours'],
    [view({ pid: 7, startedAt: STARTED }, { phase: 'Paused' }), 'paused', 'Up 2 hours (Paused)'],
    [view({ startedAt: STARTED, finishedAt: ENDED, exitCode: 3 }, { phase: 'Completed', spec: { restartPolicy: 'Never' } }), 'exited', 'Exited (3) 2 hours ago'],
    [view({ startedAt: STARTED, finishedAt: ENDED, exitCode: 1 }, { phase: 'CrashLoopBackOff' }), 'restarting', 'Restarting (1) 2 hours ago'],
    [view({ startedAt: STARTED, finishedAt: ENDED, exitCode: 1 }, { phase: 'Pending', spec: { suspend: true } }), 'exited', 'Exited (1) 2 hours ago'],
  ];
  for (const [each, state, words] of cases) assert.deepEqual([stateOf(each), stateText(each, NOW)], [state, words]);
  const block = stateBlock(view({}, { spec: { suspend: true } }), { oomKilled: false, failure: { exitCode: 127, message: 'not found' } });
  assert.deepEqual([block.Status, block.ExitCode, block.Error, block.StartedAt], ['created', 127, 'not found', '0001-01-01T00:00:00Z']);
});

test('what runs, by what was asked for and what the image says', () => {
  const image = { Entrypoint: ['/start'], Cmd: ['serve'] };
  assert.deepEqual(commandWords({ Entrypoint: null, Cmd: null }, image), ['/start', 'serve']);
  assert.deepEqual(commandWords({ Entrypoint: null, Cmd: ['check'] }, image), ['/start', 'check']);
  assert.deepEqual(commandWords({ Entrypoint: ['sh'], Cmd: null }, image), ['sh']);
  assert.deepEqual(mergedCommand({ Entrypoint: null, Cmd: [] }, {}), { Entrypoint: null, Cmd: null });
});

test('instants of a query', () => {
  assert.equal(instantOf('0'), undefined);
  assert.equal(instantOf('1700000000'), '2023-11-14T22:13:20.000000000Z');
  assert.equal(instantOf('1700000000.000000001'), '2023-11-14T22:13:20.000000001Z');
  assert.equal(instantOf('2026-01-01T01:00:00.5+01:00'), '2026-01-01T00:00:00.500000000Z');
  assert.throws(() => instantOf('yesterday'), { status: 400 });
  assert.equal(untilOf(['1h30m'], NOW), NOW - 5_400_000);
  assert.equal(untilOf(['1700000000'], NOW), 1_700_000_000_000);
  assert.throws(() => untilOf(['soon'], NOW), { status: 400 });
});

test("a file's status in Go's bits", () => {
  const stat = { name: 'x', uid: 0, gid: 0, size: 3, mtime: 1_700_000_000, mtimeNanoseconds: 500_000_000 };
  assert.deepEqual(pathStat({ ...stat, mode: 0o100644 }, '/a/x'), { name: 'x', size: 3, mode: 0o644, mtime: '2023-11-14T22:13:20.5Z', linkTarget: '' });
  assert.equal(pathStat({ ...stat, mode: 0o041777 }, '/a/x').mode, 2 ** 31 + 2 ** 20 + 0o777);
  assert.equal(pathStat({ ...stat, mode: 0o104755 }, '/a/x').mode, 2 ** 23 + 0o755);
  const link = pathStat({ ...stat, mode: 0o120777, linkTarget: '../b' }, '/a/x');
  assert.deepEqual([link.mode, link.linkTarget], [2 ** 27 + 0o777, '/b']);
  assert.equal(pathStat({ ...stat, name: '.', mode: 0o040755 }, '/').name, '/');
});

test("ps's table is cut down to the container's processes", () => {
  const text = 'UID   PID  CMD\nroot    1  init\nroot   12  sh -c sleep  9\n';
  assert.deepEqual(parsePs(text, new Set([12])), { titles: ['UID', 'PID', 'CMD'], processes: [['root', '12', 'sh -c sleep 9']] });
  assert.throws(() => parsePs('COMMAND\nsh\n', new Set([12])), { status: 500 });
});

test('a renamed container goes by its new name on its networks', () => {
  const before = container({ network: { mode: 'Bridge', networks: [{ name: 'front', aliases: ['old', 'api'] }] } });
  const after = renamed(before, 'old', 'new');
  assert.deepEqual(after.spec.network.networks[0]?.aliases, ['new', 'api']);
  assert.equal(after.metadata.annotations['docker.mooring.dev/name'], 'new');
  assert.deepEqual(renamed(after, 'new', 'web').spec.network.networks[0]?.aliases, ['api']);
});

test('names that nobody gave are free ones', () => {
  const taken = new Set<string>();
  for (let count = 0; count < 3000; count++) taken.add(randomName((name) => taken.has(name)));
  assert.equal(taken.size, 3000);
});

test('counters of control groups, on version 1 and 2, as the API has them', () => {
  const node = { stat: 'cpu  100 0 50 850 0 0 0 0 0 0\ncpu0 1 0 0 0\ncpu1 1 0 0 0\n', memory: 'MemTotal:       1000 kB\n' };
  const v1 = usageFrom(
    new Map([['cpuacct.usage', '5000\n'], ['cpuacct.stat', 'user 2\nsystem 1\n'], ['cpuacct.usage_percpu', '3000 2000 \n'], ['cpu.stat', 'nr_periods 4\nnr_throttled 1\nthrottled_time 9\n'], ['memory.usage_in_bytes', '4096\n'], ['memory.max_usage_in_bytes', '8192\n'], ['memory.failcnt', '1\n'], ['memory.limit_in_bytes', '9223372036854771712\n'], ['memory.stat', 'cache 1\ntotal_inactive_file 2\n'], ['pids.current', '3\n'], ['pids.max', 'max\n'], ['blkio.throttle.io_service_bytes_recursive', '8:0 Read 10\n8:0 Write 20\nTotal 30\n']]),
    node,
  );
  assert.deepEqual(v1?.cpu, { usage: 5000, user: 2e7, system: 1e7, perProcessor: [3000, 2000], periods: 4, throttledPeriods: 1, throttledTime: 9 });
  assert.deepEqual(v1.nodeCpu, { usage: 1000 * 1e7, processors: 2 });
  assert.deepEqual(v1.memory, { usage: 4096, maxUsage: 8192, failures: 1, limit: 1_024_000, stat: { cache: 1, total_inactive_file: 2 } });
  assert.deepEqual(v1.pids, { current: 3 });
  assert.deepEqual(v1.block.bytes, [{ major: 8, minor: 0, operation: 'Read', value: 10 }, { major: 8, minor: 0, operation: 'Write', value: 20 }]);
  const v2 = usageFrom(new Map([['cpu.stat', 'usage_usec 5\nuser_usec 2\nsystem_usec 1\nnr_periods 0\nnr_throttled 0\nthrottled_usec 0\n'], ['memory.current', '4096\n'], ['memory.max', '8192\n'], ['memory.stat', 'anon 1\n'], ['pids.current', '1\n'], ['pids.max', '9\n'], ['io.stat', '8:0 rbytes=1 wbytes=2 rios=3 wios=4 dbytes=0 dios=0\n']]), node);
  assert.deepEqual([v2?.cpu.usage, v2?.memory.limit, v2?.pids, v2?.block.operations.at(-1)?.value], [5000, 8192, { current: 1, limit: 9 }, 4]);
  assert.equal(usageFrom(new Map(), node), undefined);

  const read = statsObject('id', '/web', undefined, { at: STARTED, usage: v1 });
  assert.deepEqual([read.read, read.preread, read.precpu_stats.cpu_usage.total_usage, read.cpu_stats.cpu_usage.total_usage], [STARTED, '0001-01-01T00:00:00Z', 0, 5000]);
  assert.deepEqual(statsObject('id', '/web', undefined, { at: STARTED, usage: undefined }).memory_stats, {});
});

test("a WebSocket's frames, however they are cut", () => {
  const parser = new FrameParser();
  const masked = (payload: Buffer): Buffer => {
    const plain = encodeFrame(2, payload);
    const head = plain.length - payload.length;
    const start = Buffer.from(plain.subarray(0, head));
    start.writeUInt8(start.readUInt8(1) | 0x80, 1);
    return Buffer.concat([start, Buffer.from([1, 2, 3, 4]), Buffer.from(payload.map((byte, index) => byte ^ ((index % 4) + 1)))]);
  };
  const payloads = [Buffer.from('a'), Buffer.alloc(300, 'b'), Buffer.alloc(70_000, 'c')];
  const bytes = Buffer.concat(payloads.map(masked));
  const seen: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += 999) for (const { payload } of parser.take(bytes.subarray(at, at + 999))) seen.push(payload);
  assert.deepEqual(seen, payloads);
  assert.throws(() => [...new FrameParser().take(encodeFrame(2, Buffer.from('x')))], /no mask/);
  assert.throws(() => [...new FrameParser().take(Buffer.from([0x82, 0xff, 0, 0, 0, 1, 0, 0, 0, 0]))], /too long/);
});
