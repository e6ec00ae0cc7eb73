import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { until } from '../support/until.ts';
import { onBothEngines } from './support/two-engines.ts';

const SLEEPER = ['busybox', 'sh', '-c', 'trap "exit 0" TERM; while :; do sleep 0.05; done'] as const;

test('files, limits, pauses and restarts of containers, as with dockerd', onBothEngines(async (engines) => {
  const same = engines.same.bind(engines);
  const { mooring, node } = engines;
  const folder = await mkdtemp(join(tmpdir(), 'mooring-docker-'));
  try {
    await writeFile(join(folder, 'file'), 'content\n');
    await same(['run', '-d', '--name', 'work', '-m', '64m', ...SLEEPER]);

    await same(['cp', join(folder, 'file'), 'work:/tmp/copy'], { codeOnly: true });
    await same(['exec', 'work', 'cat', '/tmp/copy']);
    await same(['exec', 'work', 'stat', '-c', '%a %u %g %s', '/tmp/copy']);
    await same(['cp', join(folder, 'file'), 'work:/tmp/'], { codeOnly: true });
    await same(['cp', join(folder, 'file'), 'work:/nosuch/'], { codeOnly: true });
    await same(['cp', 'work:/nosuch', folder]);
    for (const engine of engines.both) {
      await engine.docker('cp', 'work:/tmp/copy', join(folder, engine.name));
      assert.equal(await readFile(join(folder, engine.name), 'utf8'), 'content\n', engine.name);
    }
    await same(['exec', 'work', 'sh', '-c', 'mkdir /made; echo x > /made/x; rm /bin/nc']);
    await same(['diff', 'work'], { anyOrder: true });
    await same(['commit', '-m', 'kept', 'work', 'kept:1'], { also: (text) => text.replace(/sha256:<id>/, '<image>') });
    await same(['run', '--rm', 'kept:1', 'cat', '/made/x']);
    for (const engine of engines.both) assert.equal((await engine.docker('export', '-o', join(folder, 'tar'), 'work')).code, 0, engine.name);

    await same(['inspect', '-f', '{{.HostConfig.Memory}}', 'work']);
    await same(['exec', 'work', 'cat', '/sys/fs/cgroup/memory/memory.limit_in_bytes']);
    await same(['update', '--memory', '80m', '--memory-swap', '-1', 'work'], { codeOnly: true });
    await same(['inspect', '-f', '{{.HostConfig.Memory}}', 'work']);
    const limit = async () => (await mooring.docker('exec', 'work', 'cat', '/sys/fs/cgroup/memory/memory.limit_in_bytes')).stdout.trim() === String(80 * 1024 ** 2);
    await until('the limit is the new one', limit);
    await same(['update', '--restart', 'nonsense', 'work'], { codeOnly: true });
    await same(['update', '--restart', 'on-failure:3', 'work']);
    await same(['inspect', '-f', '{{json .HostConfig.RestartPolicy}}', 'work']);

    const stats = await mooring.docker('stats', '--no-stream', '--format', '{{.Name}} {{.MemUsage}} {{.PIDs}}', 'work');
    assert.match(stats.stdout, /^work [1-9][\d.]*[KM]iB \/ 80MiB [1-9]\d*\n$/);
    await same(['stats', '--no-stream', '--format', '{{.Name}}']);
    await same(['top', 'work', '-o', 'comm,pid'], { also: (text) => text.replace(/\d+|^sleep .*\n/gm, ''), anyOrder: true });

    await same(['pause', 'work']);
    await same(['pause', 'work']);
    await same(['ps', '--format', '{{.Names}} {{.Status}} {{.State}}']);
    await same(['inspect', '-f', '{{.State.Status}} {{.State.Running}} {{.State.Paused}}', 'work']);
    await same(['exec', 'work', 'true']);
    await same(['start', 'work'], { codeOnly: true });
    await same(['rm', 'work'], { codeOnly: true });
    await same(['unpause', 'work']);
    await same(['unpause', 'work'], { codeOnly: true });
    await same(['exec', 'work', 'echo', 'on']);
    await same(['pause', 'work']);
    await same(['stop', '-t', '5', 'work']);
    await same(['start', 'work']);
    await same(['ps', '--format', '{{.Names}} {{.State}}']);

    await same(['run', '-d', '--name', 'again', '--restart', 'on-failure:2', 'busybox', 'sh', '-c', 'echo run; exit 1']);
    for (const engine of engines.both) {
      await until(`${engine.name} gives up`, async () => (await engine.docker('inspect', '-f', '{{.State.Status}} {{.RestartCount}}', 'again')).stdout === 'exited 2\n', 30);
    }
    await same(['logs', 'again']);
    await same(['run', '-d', '--name', 'always', '--restart', 'always', ...SLEEPER]);
    const pid = Number((await mooring.docker('inspect', '-f', '{{.State.Pid}}', 'always')).stdout);
    process.kill(pid, 'SIGKILL');
    await until('it runs again', async () => {
      const [state, count, now] = (await mooring.docker('inspect', '-f', '{{.State.Status}} {{.RestartCount}} {{.State.Pid}}', 'always')).stdout.trim().split(' ');
      return state === 'running' && count === '1' && Number(now) !== pid;
    });
    await same(['kill', 'always']);
    await same(['inspect', '-f', '{{.State.Status}} {{.State.ExitCode}}', 'always']);

    await same(['run', '-d', '--name', 'sick', '--health-cmd', 'test -e /tmp/well', '--health-interval', '200ms', '--health-retries', '2', ...SLEEPER]);
    const health = async (state: string): Promise<void> => {
      for (const engine of engines.both) await until(`${engine.name} finds it ${state}`, async () => (await engine.docker('inspect', '-f', '{{.State.Health.Status}}', 'sick')).stdout === `${state}\n`);
      await same(['ps', '--filter', `health=${state}`, '--format', '{{.Names}} {{.Status}}']);
    };
    await health('unhealthy');
    await same(['exec', 'sick', 'touch', '/tmp/well']);
    await health('healthy');
    await same(['ps', '--filter', 'health=unhealthy', '--format', '{{.Names}}']);

    // What a directory wants comes back; an engine without directories has no such thing.
    await node.write('kept.yaml', node.sleeper('declared'));
    await node.running('declared');
    await until('it is listed', async () => /^declared$/m.test((await mooring.docker('ps', '--format', '{{.Names}}')).stdout));
    const before = await node.running('declared');
    assert.equal((await mooring.docker('stop', '-t', '0', 'declared')).code, 0);
    await node.running('declared', [before]);
    const refused = await mooring.docker('rm', '-f', 'declared');
    assert.match(refused.stderr, /belongs to source directory, which would undo this; change it in kept\.yaml:1:1 instead/);
    await node.remove('kept.yaml');
    await node.gone('declared');

    const events = await mooring.docker('events', '--since', '1h', '--until', '0s', '--filter', 'container=work', '--format', '{{.Action}}');
    for (const action of ['create', 'start', 'pause', 'unpause', 'stop', 'die']) assert.match(events.stdout, new RegExp(`^${action}$`, 'm'));
  } finally {
    await rm(folder, { recursive: true });
  }
}));
