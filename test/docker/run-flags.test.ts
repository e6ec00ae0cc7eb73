import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { type CompareOptions, onBothEngines } from './support/two-engines.ts';

const IMAGE = 'busybox';
/** Fields of /proc/self/status, which the kernel answers for. */
const status = (fields: string): string[] => ['grep', '-E', `^(${fields}):`, '/proc/self/status'];
const plainMounts: CompareOptions = { also: (text) => text.replace(/(,inode64|,size=\d+k(?=.*\/t ))/g, '') };

/** What is asked for, the command that shows it from within, and what else differs with a reason. */
const FLAGS: readonly (readonly [flags: readonly string[], command: readonly string[], options?: CompareOptions])[] = [
  [['--cpus', '0.5', '-m', '64m', '--cpu-shares', '512', '--pids-limit', '99'], ['cat', '/sys/fs/cgroup/cpu/cpu.cfs_quota_us', '/sys/fs/cgroup/cpu/cpu.shares', '/sys/fs/cgroup/memory/memory.limit_in_bytes', '/sys/fs/cgroup/pids/pids.max']],
  [['--cpuset-cpus', '0'], ['cat', '/sys/fs/cgroup/cpuset/cpuset.cpus']],
  [['-e', 'A=b c', '-e', 'NOT_SET', '--env-file', '{folder}/env', '-h', 'node-7'], ['env'], { anyOrder: true, also: (text) => text.replace(/^HOME=.*\n/m, '') }],
  [['-u', '12:34', '--group-add', '56', '-w', '/made/here'], ['sh', '-c', 'id -u; id -g; id -G; pwd']],
  [['-u', 'nobody'], ['true'], { codeOnly: true }],
  [['--entrypoint', 'echo'], ['through', 'the entrypoint']],
  [['--cap-drop', 'ALL', '--cap-add', 'NET_ADMIN'], status('Cap(Inh|Prm|Eff|Bnd|Amb)')],
  [['--cap-add', 'SYS_TIME'], status('Cap(Eff|Bnd)|Seccomp|NoNewPrivs')],
  [['--cap-add', 'NOSUCH'], ['true'], { codeOnly: true }],
  [['--security-opt', 'no-new-privileges', '--security-opt', 'seccomp=unconfined'], status('NoNewPrivs|Seccomp')],
  [['--read-only', '--tmpfs', '/t:size=1m,mode=1770'], ['sh', '-c', 'touch /x; touch /t/x && stat -c %a /t && df -k /t | tail -1']],
  [['-v', '{folder}:/in:ro', '--mount', 'type=bind,source={folder},target=/out', '-v', 'named:/data'], ['sh', '-c', 'cat /in/env; touch /in/x; touch /out/made && echo made; echo kept > /data/f']],
  [['-v', 'named:/data:ro'], ['sh', '-c', 'cat /data/f; touch /data/g']],
  [['--device', '/dev/null:/dev/nothing:r', '--device', '/dev/fuse'], ['sh', '-c', 'ls /dev/fuse /dev/nothing; cat /dev/nothing; echo x > /dev/nothing']],
  [['--init'], ['sh', '-c', 'test $$ -ne 1 && echo not the first; sleep 0 & wait; ls /proc/1/status']],
  [['--ulimit', 'nofile=100:200', '--ulimit', 'core=0'], ['sh', '-c', 'ulimit -n; ulimit -H -n; ulimit -c']],
  [['--sysctl', 'net.core.somaxconn=99', '--shm-size', '8m'], ['sh', '-c', 'cat /proc/sys/net/core/somaxconn; df -k /dev/shm | tail -1'], plainMounts],
  [['--sysctl', 'vm.swappiness=1'], ['true'], { codeOnly: true }],
  [['--uts', 'host', '--pid', 'host', '--ipc', 'host'], ['sh', '-c', 'hostname; stat -L -c %i /proc/self/ns/uts /proc/self/ns/pid /proc/self/ns/ipc']],
  [['--network', 'host'], ['stat', '-L', '-c', '%i', '/proc/self/ns/net']],
  [['--network', 'none', '--add-host', 'db:10.9.8.7', '--dns', '10.9.8.6', '--dns-search', 'example.test'], ['sh', '-c', 'ls /sys/class/net; grep db /etc/hosts']],
  [['--oom-score-adj', '500', '--stop-signal', 'USR1', '--stop-timeout', '3'], ['cat', '/proc/self/oom_score_adj']],
  [['--label', 'a=b', '--log-opt', 'max-size=1m', '--log-opt', 'max-file=2', '--health-cmd', 'true', '--no-healthcheck'], ['true'], { codeOnly: true }],
  [['--log-driver', 'nosuch'], ['true'], { codeOnly: true }],
  [['--gpus', 'all'], ['true'], { codeOnly: true }],
  [['--runtime', 'nosuch'], ['true'], { codeOnly: true }],
  [['--isolation', 'hyperv'], ['true'], { codeOnly: true }],
  [['--restart', 'sometimes'], ['true'], { codeOnly: true }],
];

test('the flags of docker run do within what they do with dockerd', onBothEngines(async (engines) => {
  const folder = await mkdtemp(join(tmpdir(), 'mooring-flags-'));
  try {
    await writeFile(join(folder, 'env'), '# a comment\nFROM_FILE=1\nNOT_SET_EITHER\n');
    const placed = (word: string): string => word.replaceAll('{folder}', folder);
    for (const [flags, command, options] of FLAGS) {
      const network = flags.includes('--network') ? [] : ['--network', 'none'];
      await engines.same(['run', '--rm', ...network, ...flags.map(placed), IMAGE, ...command], options);
    }

    // What has no effect to be seen within is told as it was asked for.
    const told = ['--label', 'a=b', '--log-opt', 'max-size=1m', '--log-opt', 'max-file=2', '--stop-signal', 'USR1', '--stop-timeout', '3', '--restart', 'unless-stopped'];
    await engines.same(['create', '--name', 'told', '--network', 'none', ...told, IMAGE, 'true']);
    await engines.same(['inspect', '-f', '{{json .Config.Labels}} {{json .HostConfig.LogConfig.Config}} {{.Config.StopSignal}} {{.Config.StopTimeout}} {{json .HostConfig.RestartPolicy}}', 'told']);
    await engines.same(['rm', 'told']);
    const gpus = await engines.mooring.docker('run', '--rm', '--gpus', 'all', IMAGE, 'true');
    assert.match(gpus.stderr, /gpu/i, 'refused in words');
  } finally {
    await rm(folder, { recursive: true });
  }
}));
