import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { chmod, mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import { type CommandResult, MOORING, onNode, runMooring, type TestNode } from '../../support/daemon.ts';
import { startRegistry, USER } from '../../support/registry.ts';
import { tarArchive } from '../../support/tar-writer.ts';
import { once, openStore } from './store-support.ts';

const TERMINAL = fileURLToPath(new URL('../../support/terminal.py', import.meta.url));
const run = promisify(execFile);

/** The command of a user whose logins are in a folder of their own. */
async function as(node: TestNode, folder: string, input: string, ...args: readonly string[]): Promise<CommandResult> {
  const child = spawn(MOORING, args, { env: environment(node, folder), stdio: ['pipe', 'pipe', 'pipe'] });
  child.stdin.end(input);
  const ended = new Promise<number>((resolve) => child.once('close', (code) => resolve(code ?? -1)));
  const [stdout, stderr, code] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
  return { code, stdout, stderr };
}

function environment(node: TestNode, folder: string): Record<string, string> {
  return { PATH: `${folder}/bin:${process.env['PATH']}`, DOCKER_CONFIG: folder, MOORING_HOST: `unix://${node.runDir}/mooring.sock`, HOME: folder };
}

async function userOf(node: TestNode, name: string): Promise<string> {
  const folder = path.join(node.root, name);
  await mkdir(path.join(folder, 'bin'), { recursive: true });
  return folder;
}

async function pushSomething(name: string): Promise<void> {
  await using store = await openStore({ credentials: () => Promise.resolve(USER) });
  await store.engine.import(once(tarArchive([{ name: 'word', content: 'private' }])), name);
  await store.engine.push(name);
}

test(
  'a login is tried, kept as docker keeps it, sent with the pulls of its user only, and forgotten again',
  onNode(async (node) => {
    await using registry = await startRegistry({ auth: true });
    const name = `${registry.address}/private:1`;
    await pushSomething(name);
    await node.start();
    const folder = await userOf(node, 'user');
    const config = path.join(folder, 'config.json');
    await writeFile(config, JSON.stringify({ HttpHeaders: { 'X-Kept': 'yes' } }), { mode: 0o644 });

    const wrong = await as(node, folder, 'wrong\n', 'login', '-u', USER.username, '--password-stdin', registry.address);
    assert.deepEqual([wrong.code, /refuses the login/.test(wrong.stderr)], [1, true], wrong.stderr);
    assert.equal((await as(node, folder, '', 'pull', name)).code, 1, 'nothing of a refused login is kept');

    const right = await as(node, folder, `${USER.password}\n`, 'login', '-u', USER.username, '--password-stdin', `https://${registry.address}/v2/`);
    assert.equal(right.code, 0, right.stderr);
    assert.match(right.stderr, /kept unencrypted/);
    assert.equal((await stat(config)).mode & 0o777, 0o600);
    const kept = JSON.parse(await readFile(config, 'utf8')) as { auths: Record<string, { auth: string }>; HttpHeaders: unknown };
    assert.deepEqual(kept.HttpHeaders, { 'X-Kept': 'yes' });
    assert.equal(Buffer.from(kept.auths[registry.address]?.auth ?? '', 'base64').toString(), `${USER.username}:${USER.password}`);
    const pulled = await as(node, folder, '', 'pull', name);
    assert.equal(pulled.code, 0, pulled.stderr);
    await run('skopeo', ['inspect', '--tls-verify=false', '--authfile', config, `docker://${name}`]);

    const other = await userOf(node, 'other');
    assert.equal((await as(node, other, '', 'pull', name)).code, 1, "the daemon does not lend one user's login to another");
    await run('skopeo', ['login', '--tls-verify=false', '--authfile', path.join(other, 'config.json'), '-u', USER.username, '-p', USER.password, registry.address]);
    assert.equal((await as(node, other, '', 'pull', name)).code, 0, 'what another tool wrote counts here');

    assert.match((await as(node, folder, '', 'logout', registry.address)).stdout, /logged out/);
    assert.equal((await as(node, folder, '', 'pull', name)).code, 1);
    assert.match((await as(node, folder, '', 'logout', registry.address)).stderr, /no login/);
    assert.ok(!node.log.includes(USER.password), 'no password in the log');
  }),
);

test(
  'a credential helper keeps the login instead of the file, and a terminal does not show the password',
  onNode(async (node) => {
    await using registry = await startRegistry({ auth: true });
    const name = `${registry.address}/private:1`;
    await pushSomething(name);
    await node.start();
    const folder = await userOf(node, 'user');
    const config = path.join(folder, 'config.json');
    const safe = path.join(folder, 'safe');
    const helper = path.join(folder, 'bin/docker-credential-test');
    await writeFile(helper, `#!/bin/sh\ncase $1 in store) cat > ${safe};; get) cat > /dev/null; [ -e ${safe} ] && cat ${safe} || { echo "credentials not found in native keychain"; exit 1; };; erase) rm ${safe};; esac\n`);
    await chmod(helper, 0o755);
    await writeFile(config, JSON.stringify({ credsStore: 'test' }));
    const steps = [
      ['expect', 'User name'],
      ['send', `${USER.username}\r`],
      ['expect', 'Password: '],
      ['send', `${USER.password}x\u007f\r`],
    ];
    const { stdout } = await run('python3', [TERMINAL, JSON.stringify(steps), MOORING, 'login', registry.address], { env: environment(node, folder) });
    const played = JSON.parse(stdout) as { output: string; code: number; restored: boolean };
    assert.deepEqual([played.code, played.restored, played.output.includes(USER.password), played.output.includes('logged in')], [0, true, false, true], stdout);
    assert.equal((JSON.parse(await readFile(safe, 'utf8')) as { Secret: string }).Secret, USER.password);
    assert.ok(!(await readFile(config, 'utf8')).includes(Buffer.from(`${USER.username}:${USER.password}`).toString('base64')));
    assert.equal((await as(node, folder, '', 'pull', name)).code, 0);
    assert.equal((await as(node, folder, '', 'logout', registry.address)).code, 0);
    assert.equal((await as(node, folder, '', 'pull', name)).code, 1);
  }),
);

test(
  'short names mean the default registry that is set, mirrors stand in for a registry that is not reached, and a catalog is searched',
  onNode(async (node) => {
    await using registry = await startRegistry();
    await pushSomething(`${registry.address}/app:1`);
    await pushSomething(`${registry.address}/hub/library/thing:1`);
    const file = path.join(node.root, 'registries.yaml');
    // The name must not resolve anywhere: RFC 6761 keeps "invalid" for that.
    await writeFile(file, `defaultRegistry: ${registry.address}\nregistries:\n- host: upstream.invalid\n  mirrors: [127.0.0.1:1, ${registry.address}/hub]\n`);
    await node.start('--registries', file);
    const pulled = await node.mooring('pull', 'app:1');
    assert.equal(pulled.code, 0, pulled.stderr);
    assert.match((await node.mooring('images', '-o', 'name')).stdout, new RegExp(`${registry.address}/app:1`));
    const mirrored = await node.mooring('pull', 'upstream.invalid/library/thing:1');
    assert.equal(mirrored.code, 0, mirrored.stderr);
    assert.match((await node.mooring('images', '-o', 'name')).stdout, /upstream\.invalid\/library\/thing:1/);
    const missing = await node.mooring('pull', 'upstream.invalid/library/nothing:1');
    assert.equal(missing.code, 1);
    assert.match(missing.stderr, /upstream\.invalid can't be reached.*before that, mirror 127\.0\.0\.1:1.*; mirror .*has no image/s);
    assert.match((await node.mooring('search', 'thing')).stdout, /hub\/library\/thing/);
    await node.end();
    await writeFile(file, 'registries:\n- host: a.example\n  mirors: [b.example]\n');
    const refused = await runMooring(['daemon', '--specs', node.specs, ...node.places, '--registries', file], {});
    assert.deepEqual([refused.code, /registries\.yaml:3:3.*mirors: unknown field.*did you mean mirrors/s.test(refused.stderr)], [2, true], refused.stderr);
  }),
);
