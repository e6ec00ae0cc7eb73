import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { onNode, type TestNode } from '../../support/daemon.ts';
import { until } from '../../support/until.ts';

const run = promisify(execFile);
const PASSWORD = 'hunter2-first';
const NEXT = 'hunter2-second';

const configMap = (name: string, data: string): string => `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: ${name}}\ndata:\n${data.replace(/^/gm, '  ')}\n`;
const secret = (name: string, data: string): string => `apiVersion: v1\nkind: Secret\nmetadata: {name: ${name}}\nstringData:\n${data.replace(/^/gm, '  ')}\n`;

/** A container with all forms of variables and mounts, that runs as somebody. */
function app(node: TestNode): string {
  return node
    .container('app', 'exec sleep 100000', `user: "1000:1000"
envFrom: [{prefix: WEB_, configMapRef: {name: web}}, {secretRef: {name: none, optional: true}}]
mounts:
- {mountPath: /etc/app, configMap: {name: web}}
- {mountPath: /etc/busybox.conf, configMap: {name: web, items: [{key: conf, path: x}], subPath: x}}
- {mountPath: /run/script, configMap: {name: script, defaultMode: "0755"}}
- {mountPath: /run/db, secret: {name: db, items: [{key: password, path: deep/pass, mode: "0400"}], uid: 1000}}
- {mountPath: /both, projected: {sources: [{secret: {name: db}}, {configMap: {name: web, items: [{key: conf, path: conf}]}}]}}`)
    .replace('env: [{', 'env: [{name: PASS, valueFrom: {secretKeyRef: {name: db, key: password}}}, {');
}

const WEB = configMap('web', 'conf: |\n  listen 80;\nmode: fast');
const SCRIPT = configMap('script', 'go: |\n  #!/bin/sh\n  echo went');

const environment = async (pid: number): Promise<string[]> => (await readFile(`/proc/${pid}/environ`, 'utf8')).split('\0');

async function inside(pid: number, path: string): Promise<{ readonly text: string; readonly mode: string; readonly owner: string }> {
  const file = `/proc/${pid}/root${path}`;
  const { mode, uid, gid } = await stat(file);
  return { text: await readFile(file, 'utf8'), mode: (mode & 0o7777).toString(8), owner: `${uid}:${gid}` };
}

/** Where content lies: in the run-dir where that is in memory. */
async function contentOf(node: TestNode): Promise<string | undefined> {
  for (const folder of [join(node.runDir, 'config'), node.content]) if ((await readdir(folder).catch(() => undefined)) !== undefined) return folder;
  return undefined;
}

async function readyReason(node: TestNode, name: string): Promise<string | undefined> {
  return (await node.get(name)).status.conditions.find(({ type }) => type === 'Ready')?.reason;
}

test('a container waits for what is missing, has it in variables and files, and is made anew when it changes; no value is told', onNode(async (node) => {
  await node.write('app.yaml', app(node));
  await node.start();
  await until('it waits for all', async () => /configmap default\/web[^]*secret default\/db|secret default\/db[^]*configmap default\/web/.test((await node.mooring('explain', 'app')).stdout));
  assert.match((await readyReason(node, 'app')) ?? '', /^(ConfigMap|Secret)Missing$/);
  await node.write('web.yaml', `${WEB}---\n${SCRIPT}`);
  await until('it waits for the secret alone', async () => (await readyReason(node, 'app')) === 'SecretMissing');
  assert.deepEqual(await node.processes('app'), []);

  const given = join(node.root, 'db.yaml');
  await writeFile(given, secret('db', `password: ${PASSWORD}`));
  assert.equal((await node.mooring('apply', '-f', given)).code, 0);
  const first = await node.running('app');
  const env = await environment(first);
  for (const variable of [`PASS=${PASSWORD}`, 'WEB_conf=listen 80;\n', 'WEB_mode=fast']) assert.ok(env.includes(variable), `${variable} in ${env.join(' ')}`);
  assert.deepEqual(await inside(first, '/etc/app/conf'), { text: 'listen 80;\n', mode: '644', owner: '0:0' });
  assert.deepEqual(await inside(first, '/etc/busybox.conf'), { text: 'listen 80;\n', mode: '644', owner: '0:0' });
  assert.deepEqual(await inside(first, '/run/db/deep/pass'), { text: PASSWORD, mode: '400', owner: '1000:0' });
  assert.deepEqual(await inside(first, '/both/password'), { text: PASSWORD, mode: '644', owner: '0:0' });
  assert.deepEqual((await readdir(`/proc/${first}/root/etc/app`)).toSorted(), ['conf', 'mode']);
  const exec = (...words: readonly string[]) => node.mooring('exec', 'app', ...words);
  assert.equal((await exec('/run/script/go')).stdout, 'went\n', 'scripts run, also from memory that the node mounts noexec');
  assert.equal((await exec('cat', '/run/db/deep/pass')).stdout, PASSWORD, 'its user reads it');
  assert.notEqual((await node.mooring('exec', '--user', '0', 'app', 'sh', '-c', 'echo x > /etc/app/conf')).code, 0, 'not even its root writes');
  const table = (await readFile(`/proc/${first}/mountinfo`, 'utf8')).split('\n').filter((line) => / \/(etc\/app|run\/db|both|run\/script|etc\/busybox.conf) /.test(line));
  assert.equal(table.length, 5);
  for (const line of table) assert.match(line, / ro(,[a-z,]*)? (.* )?- tmpfs /, 'read-only, and in memory');

  // The same again, and what nothing uses, change nothing.
  assert.equal((await node.mooring('apply', '-f', given)).code, 0);
  await node.write('other.yaml', configMap('other', 'a: b'));
  await node.write('web.yaml', `# a comment\n${SCRIPT}---\n${WEB}`);
  await until('the files are read', async () => (await node.mooring('get', 'configmaps', '-o', 'json')).stdout.includes('web.yaml:10:1'));
  assert.deepEqual(await node.processes('app'), [first]);

  await writeFile(given, secret('db', `password: ${NEXT}`));
  const plan = await node.mooring('plan', '-f', given, '--exit-code');
  assert.match(plan.stdout, /secret default\/db will be changed in place[^]*data\.password[^]*default\/app will be made anew[^]*secret default\/db changed: password/);
  assert.deepEqual(await node.processes('app'), [first], 'a plan has no effect');
  assert.equal((await node.mooring('apply', '-f', given)).code, 0);
  const second = await node.running('app', [first]);
  assert.equal((await inside(second, '/run/db/deep/pass')).text, NEXT);
  assert.ok((await environment(second)).includes(`PASS=${NEXT}`));
  await until('it is told why', async () => (await node.events('app')).some(({ reason, message }) => reason === 'Stopping' && message.includes('secret default/db changed: password')));
  await until('it is seen running', async () => (await node.get('app')).status.pid === second);
  assert.equal((await node.get('app')).status.restartCount, 0);

  const told = [plan.stdout, node.log, (await node.mooring('get', 'secrets', '-A')).stdout, (await node.mooring('get', 'secrets', '-o', 'wide')).stdout, (await node.mooring('describe', 'secret/db')).stdout, (await node.mooring('describe', 'app', '-o', 'wide')).stdout, (await node.mooring('explain', 'app')).stdout, (await node.mooring('get', 'app', '-o', 'yaml')).stdout, JSON.stringify(await node.events()), await (await fetch(`http://127.0.0.1:${node.metricsPort}/metrics`)).text()];
  for (const [index, text] of told.entries()) assert.ok(!text.includes('hunter2') && !text.includes(Buffer.from(NEXT).toString('base64')), `output ${index} tells a value`);
  assert.match((await node.mooring('describe', 'secret/db')).stdout, /Containers: +default\/app[^]*password +14/);
  assert.ok((await node.mooring('get', 'secret/db', '-o', 'yaml')).stdout.includes(Buffer.from(NEXT).toString('base64')), 'root has the value when it asks for it');
  const { mode } = await stat(join(node.dataDir, 'db.sqlite'));
  assert.equal(mode & 0o077, 0, 'the database is for root alone');
}));

test('content is made again for a run after its loss, what is altered by hand is put back, and all of it goes with the container', onNode(async (node) => {
  await node.write('app.yaml', node.sleeper('app', 'mounts: [{mountPath: /etc/app, configMap: {name: web}}, {mountPath: /run/db, secret: {name: db}}]'));
  await node.write('config.yaml', `${WEB}---\n${secret('db', `password: ${PASSWORD}`)}`);
  await node.start();
  const first = await node.running('app');
  assert.equal((await inside(first, '/run/db/password')).text, PASSWORD);
  const id = (await until('it has an id', async () => (await node.get('app')).status.containerID)) ?? '';
  const content = (await contentOf(node)) ?? assert.fail('there is no content');
  const place = join(content, id);
  const folders = await readdir(place);
  assert.equal(folders.length, 2);
  for (const folder of [content, place]) assert.equal((await stat(folder)).mode & 0o7777, 0o700, `${folder} is root's`);
  assert.equal((await run('stat', ['-f', '-c', '%T', place])).stdout.trim(), 'tmpfs');
  assert.equal((await run('grep', ['-rl', PASSWORD, node.dataDir, join(node.runDir, 'containers')]).catch(() => ({ stdout: '' }))).stdout, '', 'no plain text on a disk');

  // As after a reboot: the daemon, the process and the memory are gone.
  await node.end('SIGKILL');
  process.kill(first, 'SIGKILL');
  await node.gone('app');
  await rm(content, { recursive: true });
  await node.start();
  const second = await node.running('app', [first]);
  assert.equal((await inside(second, '/run/db/password')).text, PASSWORD);
  assert.equal((await inside(second, '/etc/app/mode')).text, 'fast');

  const [altered] = await until('it lies there again', async () => {
    const found = await readdir(place);
    return found.length === 2 && (await Promise.all(found.map(async (name) => ((await readdir(join(place, name))).includes('mode') ? [name] : [])))).flat();
  });
  await until('it is seen running', async () => (await node.get('app')).status.pid === second);
  await writeFile(join(place, altered ?? '', 'mode'), 'evil');
  const third = await node.running('app', [second]);
  assert.equal((await inside(third, '/etc/app/mode')).text, 'fast');
  await until('it is told', async () => (await node.events('app')).some(({ reason, message }) => reason === 'DriftDetected' && message.includes('/etc/app')));

  await node.remove('app.yaml');
  await node.gone('app');
  await until('its content is gone', async () => (await contentOf(node)) === undefined);
}));
