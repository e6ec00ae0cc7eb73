import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import type { DriftList, DriftReportEntry } from '../../../src/api/v1/drift-types.ts';
import { onNode, type TestNode } from '../../support/daemon.ts';
import { startTimeOf } from '../../support/kernel.ts';
import { until } from '../../support/until.ts';

/** Files here are changed with ordinary tools, by hand as root; the daemon's full resync comes only after five minutes. */

/** Runs in the container's namespaces, with none of its control groups: as somebody on the node would. */
async function byHand(pid: number, script: string): Promise<void> {
  await promisify(execFile)('nsenter', [...into(pid), script]);
}

function into(pid: number): string[] {
  return ['-t', String(pid), '-m', '-r', '-w', '/bin/busybox', 'sh', '-c'];
}

async function drift(node: TestNode, name: string): Promise<{ readonly present: readonly DriftReportEntry[]; readonly past: readonly DriftReportEntry[] }> {
  const { code, stdout, stderr } = await node.mooring('drift', name, '-o', 'json');
  assert.equal(code, 0, stderr);
  return (JSON.parse(stdout) as DriftList).items[0] ?? assert.fail(`no report of ${name}`);
}

async function seen(node: TestNode, name: string, pid: number): Promise<string> {
  return until(`${name} is seen running`, async () => {
    const { status } = await node.get(name);
    return status.pid === pid && status.containerID;
  });
}

const WEB = 'mkdir -p /var/cache/web /run; echo $$ > /run/web.pid; while :; do echo hit >> /var/cache/web/log; sleep 1; done';
const files = (policy: string): string => `drift: {files: {policy: ${policy}, allowedPaths: [/var/cache/web/**, "/run/*.pid", /etc/allowed]}}`;

test('files that somebody changes are reported with who did it, or put back by a restart from the image, and nothing else is restarted', { timeout: 120_000 }, onNode(async (node) => {
  await node.write('told.yaml', node.container('told', WEB, files('Report')));
  await node.write('kept.yaml', node.container('kept', WEB, files('Correct')));
  await node.write('other.yaml', node.sleeper('other'));
  await node.start();
  const [told, kept, other] = [await mainOf(node, 'told'), await mainOf(node, 'kept'), await node.running('other')];
  const id = await seen(node, 'told', told);
  await seen(node, 'kept', kept);
  await seen(node, 'other', other);
  const conditions = async (name: string): Promise<string> => (await node.get(name)).status.conditions.filter(({ type }) => type === 'Drifted').map(({ status, message }) => `${status} ${message}`).join();
  await until('what they may write to is no drift', async () => (await conditions('told')) === 'False ');

  // One that lives on, so that the kernel's word on who it is can be asked for.
  const intruder = execFile('nsenter', [...into(told), 'echo intruder > /etc/passwd.new; while :; do sleep 1; done']);
  await until('an added file is reported', async () => /\/etc\/passwd\.new was added/.test(await conditions('told')));
  const [first] = (await drift(node, 'told')).present;
  assert.match(first?.who ?? '', new RegExp(`^(busybox|sh) \\(pid ${intruder.pid}, uid 0\\), from outside$`));
  intruder.kill('SIGKILL');
  await byHand(told, 'rm /bin/sh; chmod 700 /bin; ln -s /x /link; mkdir /etc/allowed; echo fine > /etc/allowed/x');
  const message = await until('so is what was deleted, and what was given other rights', async () => {
    const text = await conditions('told');
    return ['/bin was changed', '/bin/sh was deleted', '/etc/passwd.new was added', '/link was added'].every((part) => text.includes(part)) && text;
  });
  assert.doesNotMatch(message, /allowed|cache|\/run|\/etc was/);
  const [found, ...more] = (await drift(node, 'told')).present;
  assert.deepEqual([found?.kind, found?.policy, more.length], ['Files', 'Report', 0]);
  assert.equal((await node.mooring('drift', '--exit-code')).code, 4);
  assert.equal((await node.events('told')).filter(({ reason }) => reason === 'DriftDetected').length, 1, 'it is told once');
  assert.equal(await mainOf(node, 'told'), told, 'and nothing is restarted for it');

  // In the writable folder itself, past the overlay.
  await writeFile(join(node.dataDir, 'containers', id, 'upper/etc/planted'), 'by hand');
  await until('so is what was put past the container', async () => (await conditions('told')).includes('/etc/planted was added'));

  await byHand(kept, 'echo shell > /bin/web-shell');
  const next = await until('a restart has put it back', async () => {
    const pid = await mainOf(node, 'kept');
    return pid !== kept && pid;
  });
  await seen(node, 'kept', next);
  await assert.rejects(readFile(`/proc/${next}/root/bin/web-shell`), { code: 'ENOENT' });
  const { past } = await until('its record is closed', async () => {
    const report = await drift(node, 'kept');
    return report.present.length === 0 && report.past.length > 0 && report;
  });
  assert.deepEqual(past.map(({ kind, undoneBy, policy }) => [kind, undoneBy, policy]), [['Files', 'Reset', 'Correct']]);
  assert.match(past[0]?.message ?? '', /\/bin\/web-shell was added/);
  assert.ok((await node.events('kept')).some(({ reason, message: text }) => reason === 'Reset' && text.includes('/bin/web-shell was added')));
  assert.equal((await node.get('kept')).status.restartCount, 1);

  // After the reset the new writable layer is followed as the old one was; so it is by the next daemon.
  await node.end();
  await byHand(next, 'echo again > /bin/web-shell');
  await node.start();
  await until('what happened while no daemon ran is put back, too', async () => {
    const pid = await mainOf(node, 'kept');
    return pid !== next && pid;
  });
  assert.deepEqual(await node.processes('other'), [other]);
  assert.equal((await node.get('other')).status.restartCount, 0);
  await assertTold(node);
}));

test('processes added by hand are listed while they run and afterwards, and never ended', { timeout: 60_000 }, onNode(async (node) => {
  await node.write('app.yaml', node.sleeper('app'));
  await node.write('calm.yaml', node.sleeper('calm', 'drift: {exec: Ignore}'));
  await node.start();
  const pid = await node.running('app');
  await seen(node, 'app', pid);
  await seen(node, 'calm', await node.running('calm'));
  assert.equal((await node.mooring('exec', 'calm', 'true')).code, 0);
  assert.equal((await node.mooring('exec', 'app', 'true')).code, 0);
  const ended = await until('a short one is on record', async () => {
    const { present, past } = await drift(node, 'app');
    return present.length === 0 && past[0];
  });
  assert.deepEqual([ended.kind, ended.policy, ended.message], ['Exec', 'Report', 'true was begun beside the program, by hand']);

  const long = execFile(join(import.meta.dirname, '../../../bin/mooring'), ['exec', 'app', 'sleep', '1000'], { env: { PATH: process.env['PATH'], MOORING_HOST: `unix://${node.runDir}/mooring.sock` } });
  const open = await until('a long one is listed', async () => (await drift(node, 'app')).present[0]);
  assert.match(open.message, /^sleep was begun/);
  assert.doesNotMatch(JSON.stringify(open), /1000/, 'nothing is told of arguments');
  await node.end('SIGKILL');
  await node.start();
  assert.equal((await drift(node, 'app')).present.length, 1, 'the next daemon lists it, too');
  const inside = Number(/pid (\d+)/.exec(open.who)?.[1]);
  assert.notEqual(await startTimeOf(inside), undefined);
  process.kill(inside, 'SIGKILL');
  if (long.exitCode === null && long.signalCode === null) await once(long, 'exit');
  await until('its end is on record', async () => (await drift(node, 'app')).present.length === 0);
  assert.deepEqual([(await drift(node, 'calm')).past, await node.running('app')], [[], pid]);
}));

/** The first process of a container of several. */
async function mainOf(node: TestNode, name: string): Promise<number> {
  return until(`${name} runs`, async () => {
    const { status } = await node.get(name);
    return status.pid !== undefined && (await node.processes(name)).includes(status.pid) && status.pid;
  });
}

async function assertTold(node: TestNode): Promise<void> {
  const page = await (await fetch(`http://127.0.0.1:${node.metricsPort}/metrics`)).text();
  assert.match(page, /^mooring_drift_detected_total\{kind="Files"\} [1-9]/m);
  assert.match(page, /^mooring_drift_repaired_total\{kind="Files"\} [1-9]/m);
}
