import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { it } from 'node:test';

import { until } from '../../support/until.ts';
import { perform } from './command.ts';
import { ask, call, cgroupFile, IMAGE, onTerminal, run, start, type Engine } from './engine.ts';

/** What the two engines are asked alike. */
export interface Pair {
  /** With mooring-runtime. */
  readonly ours: Engine;
  /** With the runtime that the engine comes with. */
  readonly peer: Engine;
}

/** A shell that ends with 7 when it is asked to. */
const LIVES = ['sh', '-c', 'trap "exit 7" TERM; while true; do sleep 0.1; done'];

/** Typed into a shell: waits until its terminal has the size of the client's, which passes it on in its own time. */
const SIZED = [['send', 'until [ "$(stty size)" = "24 80" ]; do sleep 0.1; done; echo si""zed\n'], ['expect', 'sized'], ['expect', '# ']] as const;

/** What people do with containers, one test each. Where both runtimes can do it, both must do the same. */
export function describeEngine(pair: () => Pair): void {
  const both = async <T>(act: (engine: Engine) => Promise<T>): Promise<T> => {
    const { ours, peer } = pair();
    const [got, expected] = [await act(ours), await act(peer)];
    assert.deepEqual(got, expected);
    return got;
  };
  const codeAndOutput = async (engine: Engine, flags: readonly string[], ...command: readonly string[]): Promise<readonly [number, string]> => {
    const { code, stdout } = await run(engine, flags, ...command);
    return [code, stdout];
  };

  it('ends with the program’s exit code, with 127 where there is none, 126 where it can’t be run', async () => {
    for (const [command, expected] of [
      [['true'], 0],
      [['sh', '-c', 'exit 3'], 3],
      [['no-such-program'], 127],
      [['/etc'], 126],
      [['/etc/passwd'], 126],
    ] as const) {
      assert.deepEqual(await both(async (engine) => (await run(engine, [], ...command)).code), expected, command.join(' '));
    }
  });

  it('keeps to --read-only, --user, --cap-drop, --workdir, --env, --hostname, --tmpfs and --sysctl', async () => {
    const script = 'id; pwd; echo $A; hostname; touch /x 2>&1; touch /t/x && stat -c %a /t; cat /proc/sys/net/ipv4/ip_default_ttl; grep -E "^(Cap|NoNew|Seccomp:)" /proc/self/status';
    const flags = ['--read-only', '--tmpfs', '/t:mode=1777', '--user', 'daemon', '--cap-drop', 'ALL', '--workdir', '/tmp', '--env', 'A=b', '--hostname', 'h', '--sysctl', 'net.ipv4.ip_default_ttl=33', '--security-opt', 'no-new-privileges'];
    const [code, output] = await both((engine) => codeAndOutput(engine, flags, 'sh', '-c', script));
    assert.equal(code, 0);
    assert.match(output, /uid=1\(daemon\) .*\n\/tmp\nb\nh\ntouch: \/x: Read-only file system\n1777\n33\n/);
    assert.match(output, /CapEff:\t0{16}\n/);
  });

  it('gives the default capabilities, masks and devices', async () => {
    const script = 'grep ^Cap /proc/self/status; ls -l /dev | awk \'{print $1, $3, $4, $5, $6, $NF}\' | grep -v "^total" | grep -Ev "(fd|core|pts|shm|mqueue|stdin|stdout|stderr|ptmx)$"; cat /proc/timer_list | wc -c; ls /proc/scsi /sys/firmware 2>&1; echo 1 2>&1 >/proc/sysrq-trigger';
    const [code, output] = await both((engine) => codeAndOutput(engine, [], 'sh', '-c', script));
    assert.notEqual(code, 0, 'the last command’s, which is refused');
    assert.match(output, /CapInh:\t0{16}\n/);
  });

  it('--privileged: all capabilities that the host has, no filter, its devices, and /proc/sys writable', async () => {
    const { ours } = pair();
    const script = 'grep -E "^(CapEff|Seccomp):" /proc/self/status; mkdir /m && mount -t tmpfs none /m && echo mounted; stat -c %t:%T /dev/full /dev/kmsg; echo private > /proc/sys/kernel/domainname; exec cat /proc/sys/kernel/domainname';
    const { code, stdout, stderr } = await run(ours, ['--privileged'], 'sh', '-c', script);
    const sets = /^CapEff:\t(\w+)\nSeccomp:\t0\nmounted\n1:7\n1:b\nprivate\n$/.exec(stdout);
    assert.ok(code === 0 && sets, stdout + stderr);
    const bounding = /^CapBnd:\t(\w+)$/m.exec(await readFile('/proc/self/status', 'utf8'));
    // dockerd 20.10 knows of no capability after CAP_AUDIT_READ.
    const known = (set: RegExpExecArray | null): bigint => BigInt(`0x${set?.[1]}`) & ((1n << 38n) - 1n);
    assert.equal(known(sets), known(bounding));
  });

  it('feeds standard input to its end, and keeps stdout and stderr apart', async () => {
    const { ours } = pair();
    const { command: [program, ...first], env } = ours;
    const words = [...first, 'run', '--rm', '-i', ...ours.runFlags, IMAGE, 'sh', '-c', 'cat; echo err >&2; exit 4'];
    assert.deepEqual(await perform(program, words, { env, input: 'a\nb' }), { code: 4, stdout: 'a\nb', stderr: 'err\n' });
  });

  it('runs on a terminal, whose size and keys get through', async () => {
    const { ours } = pair();
    const interrupted = [['send', 'sh -c "echo go\'\'ing; exec sleep 60"\n'], ['expect', 'going'], ['send', '\u0003'], ['expect', '# ']] as const;
    const steps = [['expect', '# '], ['send', 'tty\n'], ['expect', '/dev/pts/0'], ...SIZED, ...interrupted, ['send', 'exit 5\n']] as const;
    const { code, restored } = await onTerminal(ours, steps, 'run', '--rm', '-it', ...ours.runFlags, IMAGE, 'sh');
    assert.deepEqual({ code, restored }, { code: 5, restored: true });
  });

  it('mounts volumes, writable and read-only', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'mooring-volume-'));
    try {
      await writeFile(join(folder, 'in'), 'host\n');
      const flags = ['-v', `${folder}:/w`, '-v', `${folder}:/r:ro`];
      const [code, output] = await both((engine) => codeAndOutput(engine, flags, 'sh', '-c', 'cat /r/in; echo container > /w/out; touch /r/x 2>&1'));
      assert.deepEqual([code, output], [1, 'host\ntouch: /r/x: Read-only file system\n']);
      assert.equal(await readFile(join(folder, 'out'), 'utf8'), 'container\n');
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it('execs: exit codes, user, environment, folder, a terminal', async () => {
    const { ours, peer } = pair();
    for (const engine of [ours, peer]) await start(engine, `exec-${engine === ours}`, [], ...LIVES);
    const exec = async (engine: Engine, flags: readonly string[], ...command: readonly string[]): Promise<readonly [number, string]> => {
      const { code, stdout } = await call(engine, 'exec', ...flags, `exec-${engine === ours}`, ...command);
      return [code, stdout];
    };
    assert.deepEqual(await both((engine) => exec(engine, [], 'sh', '-c', 'exit 9')), [9, '']);
    for (const command of ['no-such-program', '/etc', '/etc/passwd']) assert.notEqual((await both((engine) => exec(engine, [], command).then(([code]) => [code])))[0], 0, command);
    assert.deepEqual(await both((engine) => exec(engine, ['--user', 'daemon', '--env', 'A=b', '--workdir', '/etc'], 'sh', '-c', 'id -u; echo $A; pwd; grep CapEff /proc/self/status')), [0, '1\nb\n/etc\nCapEff:\t0000000000000000\n']);
    const steps = [['expect', '# '], ['send', 'tty\n'], ['expect', '/dev/pts/'], ...SIZED, ['send', 'exit 6\n']] as const;
    assert.equal((await onTerminal(ours, steps, 'exec', '-it', 'exec-true', 'sh')).code, 6);
    for (const engine of [ours, peer]) await ask(engine, 'rm', '-f', `exec-${engine === ours}`);
  });

  it('limits, and changes limits while it runs', async () => {
    const { ours } = pair();
    const pid = await start(ours, 'limits', ['-m', '64m', '--memory-swap', '128m', '--cpus', '0.5', '--pids-limit', '50', '--cpuset-cpus', '0', '--memory-reservation', '32m'], ...LIVES);
    const limits = async (): Promise<string[]> => [
      await cgroupFile(pid, 'memory', 'memory.limit_in_bytes', 'memory.max'),
      await cgroupFile(pid, 'pids', 'pids.max', 'pids.max'),
      await cgroupFile(pid, 'cpuset', 'cpuset.cpus', 'cpuset.cpus'),
      await cgroupFile(pid, 'memory', 'memory.soft_limit_in_bytes', 'memory.low'),
      (await cgroupFile(pid, 'cpu', 'cpu.cfs_quota_us', 'cpu.max')).split(' ')[0] ?? '',
    ];
    assert.deepEqual(await limits(), [String(64 << 20), '50', '0', String(32 << 20), '50000']);
    // podman 4 changes no process limit.
    const pids = ours.command.includes('podman') ? [] : ['--pids-limit', '70'];
    await ask(ours, 'update', '-m', '256m', '--memory-swap', '512m', '--cpus', '1', '--cpuset-cpus', '0-1', ...pids, 'limits');
    assert.deepEqual(await limits(), [String(256 << 20), pids[1] ?? '50', '0-1', String(32 << 20), '100000']);
    await ask(ours, 'update', '-m', '128m', '--memory-swap', '128m', 'limits');
    assert.deepEqual(await limits(), [String(128 << 20), pids[1] ?? '50', '0-1', String(32 << 20), '100000']);
    assert.match(await ask(ours, 'stats', '--no-stream', '--format', '{{.Name}} {{.PIDs}} {{.MemUsage}}', 'limits'), /^limits [12] [1-9][\d.]*(kB|KiB|MiB|MB) \/ /);
    assert.match(await ask(ours, 'top', 'limits'), /trap "exit 7" TERM/);
    await ask(ours, 'rm', '-f', 'limits');
  });

  it('pauses, resumes, is signalled and waited for', async () => {
    const { ours } = pair();
    const pid = await start(ours, 'signals', [], ...LIVES);
    await ask(ours, 'pause', 'signals');
    assert.equal((await ask(ours, 'inspect', '-f', '{{.State.Status}}', 'signals')).toLowerCase(), 'paused');
    assert.match(await cgroupFile(pid, 'freezer', 'freezer.state', 'cgroup.events'), /FROZEN|frozen 1/);
    assert.notEqual((await call(ours, 'exec', 'signals', 'true')).code, 0);
    await ask(ours, 'unpause', 'signals');
    assert.match(await cgroupFile(pid, 'freezer', 'freezer.state', 'cgroup.events'), /THAWED|frozen 0/);
    await ask(ours, 'exec', 'signals', 'true');
    const waited = ask(ours, 'wait', 'signals');
    await ask(ours, 'kill', '--signal', 'TERM', 'signals');
    assert.equal(await waited, '7');
    assert.equal(await ask(ours, 'inspect', '-f', '{{.State.ExitCode}}', 'signals'), '7');
    await ask(ours, 'start', 'signals');
    await ask(ours, 'kill', 'signals');
    await until('it has been killed', async () => (await ask(ours, 'inspect', '-f', '{{.State.ExitCode}}', 'signals')) === '137');
    await ask(ours, 'rm', 'signals');
  });

  it('tells an out-of-memory kill from others', async () => {
    const killed = await both(async (engine) => {
      const { code } = await call(engine, 'run', '--name', 'oom', ...engine.runFlags, '-m', '16m', '--memory-swap', '16m', IMAGE, 'dd', 'if=/dev/zero', 'of=/dev/null', 'bs=100M', 'count=1');
      const flag = await ask(engine, 'inspect', '-f', '{{.State.OOMKilled}}', 'oom');
      await ask(engine, 'rm', 'oom');
      return [code, flag] as const;
    });
    assert.equal(killed[0], 137);
  });

  it('--init reaps what is left to it', async () => {
    const flags = ['--init', ...(pair().ours.command.includes('podman') ? ['--init-path', '/usr/bin/docker-init'] : [])];
    const [code, output] = await both((engine) => codeAndOutput(engine, flags, 'sh', '-c', 'sh -c "true & exit 0"; sleep 0.3; cat /proc/1/comm; grep -l "^State:.Z" /proc/[0-9]*/status'));
    assert.equal(code, 1, 'grep has found no zombie');
    assert.match(output, /^(docker|podman)-init\n$/);
  });
}
