import assert from 'node:assert/strict';
import { mkdtemp, mkdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Command } from 'commander';
import { filesOf } from '../../../src/cli/documents.ts';
import { parseName } from '../../../src/cli/name.ts';
import { buildProgram, runCommand } from '../../../src/cli/program.ts';
import { parserWords } from '../../../src/cli/words.ts';
import { startApiServer } from '../../../src/api/v1/server.ts';
import { createLogger } from '../../../src/lib/logger.ts';
import { FakeServices, viewFrom, WEB } from '../api/fake-services.ts';
import { fakeDaemon, jsonReply } from './fake-daemon.ts';
import { fakeIo } from './fake-io.ts';

async function withServer(services: FakeServices, use: (host: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'mooring-program-'));
  const server = await startApiServer(join(folder, 'sock'), createLogger('silent'), Promise.resolve(services));
  try {
    await use(`unix://${folder}/sock`);
  } finally {
    await server.close();
    await rm(folder, { recursive: true });
  }
}

function helpOf(command: Command): string {
  let text = '';
  command.configureOutput({ writeOut: (piece) => void (text += piece) }).outputHelp();
  return text;
}

/** Every command that does something, with those of a group. */
function leaves(command: Command): Command[] {
  return command.commands.length === 0 ? [command] : command.commands.flatMap(leaves);
}

test('every command has a description and examples, and each example is a command line that parses', async () => {
  const io = fakeIo();
  const program = buildProgram({ io, finish: () => undefined });
  const seen: string[] = [];
  for (const command of leaves(program)) {
    assert.notEqual(command.description(), '', command.name());
    const [, examples = ''] = helpOf(command).split('\nExamples:\n');
    const lines = examples.split('\n').flatMap((line) => /(?:^|\| |<\()\s*mooring ([^>)|]*)/.exec(line)?.[1]?.trim() ?? []);
    assert.ok(lines.length > 0, `${command.name()} has examples`);
    for (const line of lines) {
      const fresh = buildProgram({ io, finish: () => undefined });
      for (const each of leaves(fresh)) each.action(() => void seen.push(each.name()));
      const words = [...line.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain ?? '');
      await fresh.parseAsync(parserWords(words, fresh), { from: 'user' });
      // "image ls" and "images" are one command in two places.
      assert.equal(seen.at(-1), command.name() === 'ls' && command.parent?.name() === 'image' ? 'images' : command.name(), line);
    }
  }
});

test('get shows the table on standard output and what was not accepted on standard error', async () => {
  const services = new FakeServices();
  services.put(viewFrom(WEB));
  services.reject([{ file: 'bad.yaml', at: 'bad.yaml:7:3', field: 'spec.image', message: 'is required', fix: 'name one' }]);
  await withServer(services, async (host) => {
    const io = fakeIo();
    assert.equal(await runCommand(['get', 'containers', '--host', host], io), 0);
    assert.equal(io.written.out, 'NAME   STATE     RESTARTS   ADDRESS          AGE   MESSAGE\nweb    Running   0          localhost:8080   60m\n');
    assert.match(io.written.err, /1 document is not accepted[^]*error bad\.yaml:7:3: spec\.image: is required\n  fix: name one\n/);
  });
});

test('get -A shows all namespaces; get has names that other commands take back', async () => {
  const services = new FakeServices();
  services.put(viewFrom(WEB));
  services.put(viewFrom(WEB.replace('name: web', 'name: api\n  namespace: prod')));
  await withServer(services, async (host) => {
    const ps = fakeIo();
    await runCommand(['--host', host, 'get', '-A'], ps);
    assert.match(ps.written.out, /^NAMESPACE +NAME[^]*^default +web [^]*^prod +api /m);
    const names = fakeIo();
    await runCommand(['--host', host, 'get', '-A', '-o', 'name'], names);
    assert.equal(names.written.out, 'container/web\nprod/api\n');
    for (const name of names.written.out.trim().split('\n')) assert.equal(await runCommand(['--host', host, 'get', name], fakeIo()), 0, name);
  });
});

test('apply --wait waits for Ready, fails when the container is stalled, and when time is up', async () => {
  const services = new FakeServices();
  await withServer(services, async (host) => {
    const apply = (io = fakeIo({ readStdin: () => Promise.resolve(WEB) })): Promise<number> => runCommand(['--host', host, 'apply', '-f', '-', '--wait', '--timeout', '2s'], io);
    const waiting = apply();
    services.put(viewFrom(WEB));
    assert.equal(await waiting, 0);

    const condition = { type: 'Stalled', status: 'True', reason: 'ImageMissing', message: 'there is no image x', lastTransitionTime: '2026-01-01T00:00:00Z', observedGeneration: 3 } as const;
    const { status } = viewFrom(WEB);
    services.put(viewFrom(WEB, { phase: 'Failed', status: { ...status, conditions: [condition] } }));
    const stalled = fakeIo({ readStdin: () => Promise.resolve(WEB) });
    assert.equal(await apply(stalled), 1);
    assert.match(stalled.written.err, /default\/web is stalled: there is no image x/);

    services.put(viewFrom(WEB, { phase: 'Pending', status: { ...status, conditions: [] } }));
    const late = fakeIo({ readStdin: () => Promise.resolve(WEB) });
    assert.equal(await apply(late), 1);
    assert.match(late.written.err, /waited 2s for default\/web to be ready/);
  });
});

test("the daemon's errors are told with place and fix, and wrong documents are a usage error", async () => {
  await using daemon = await fakeDaemon(jsonReply({ error: { code: 'Conflict', message: 'held by another', at: 'web.yaml:1:1', fix: 'delete it there' } }, '409 Conflict'));
  const io = fakeIo();
  assert.equal(await runCommand(['--host', daemon.socket, 'delete', 'web'], io), 1);
  assert.equal(io.written.err, 'mooring: web.yaml:1:1: held by another\n  fix: delete it there\n');
  assert.match(daemon.requests[0] ?? '', /^DELETE \/v1\/containers\/default\/web HTTP\/1\.1\r\n/);
});

test('down over a stream that breaks off is a failure, not a success', async () => {
  await using daemon = await fakeDaemon('HTTP/1.1 200 OK\r\n\r\n', '{"type":"REMOVED","name":"default/a","remaining":1}\n');
  const io = fakeIo();
  assert.equal(await runCommand(['--host', daemon.socket, 'down'], io), 1);
  assert.match(io.written.err, /ended before everything was taken down/);
});

test('names: bare, with a kind, with a namespace', () => {
  assert.deepEqual(parseName('web', 'n'), { namespace: 'n', name: 'web' });
  assert.deepEqual(parseName('container/web', 'n'), { namespace: 'n', name: 'web' });
  assert.deepEqual(parseName('prod/web', 'n'), { namespace: 'prod', name: 'web' });
  for (const wrong of ['', '/', 'a/', '/a', 'a/b/c']) assert.throws(() => parseName(wrong, 'n'), { code: 'Invalid' }, wrong);
});

test('-f takes files, standard input, and folders at any depth without what is hidden or no document', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'mooring-docs-'));
  await mkdir(join(folder, 'deep/.git'), { recursive: true });
  for (const file of ['b.yml', 'a.yaml', 'deep/c.json', 'deep/.git/d.yaml', '.hidden.yaml', 'a.yaml~', 'a.yaml.bak', 'readme.md']) await writeFile(join(folder, file), file);
  const files = await filesOf([folder, '-'], () => Promise.resolve('from stdin'));
  assert.deepEqual(files.map(({ name, text }) => [name.replace(`${folder}/`, ''), text]), [['a.yaml', 'a.yaml'], ['b.yml', 'b.yml'], ['deep/c.json', 'deep/c.json'], ['stdin', 'from stdin']]);
  await assert.rejects(filesOf([join(folder, 'nope')], () => Promise.resolve('')), { code: 'Invalid', message: /no such file/ });
  await rm(folder, { recursive: true });
});
