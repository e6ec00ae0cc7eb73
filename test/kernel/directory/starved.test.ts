import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { createHarness, eventually, yaml } from './harness.ts';

const SCRIPT = join(import.meta.dirname, 'starved-source.ts');

for (const [limit, code] of [
  ['max_inotify_watches', 'ENOSPC'],
  ['max_inotify_instances', 'EMFILE'],
] as const) {
  test(`without inotify (${code}) the trouble is said, rescans find changes, and it heals`, async (t) => {
    await using h = await createHarness();
    await h.write('a/web.yaml', yaml('web'));
    // The shell stays, so that the limit can be raised again from inside the namespace.
    const shell = `echo 0 > /proc/sys/user/${limit}; "$@" & child=$!; read line; echo 1000 > /proc/sys/user/${limit}; wait $child`;
    const child = spawn('unshare', ['--user', '--map-root-user', '--kill-child', 'sh', '-c', shell, 'sh', process.execPath, SCRIPT, h.base, h.dir], { stdio: ['pipe', 'pipe', 'inherit'], detached: true });
    t.after(() => process.kill(-(child.pid ?? 0), 'SIGKILL'));
    let problems: string[] = [];
    let names: string[] = [];
    createInterface(child.stdout).on('line', (line) => ([problems, names] = JSON.parse(line) as [string[], string[]]));
    await eventually(() => assert.deepEqual(names, ['web']));
    await eventually(() => assert.match(problems.join(), new RegExp(code)));
    await h.write('b/api.yaml', yaml('api'));
    await eventually(() => assert.deepEqual(names, ['api', 'web']));
    assert.match(problems.join(), new RegExp(code));
    child.stdin.write('\n');
    await eventually(() => assert.deepEqual(problems, []));
  });
}
