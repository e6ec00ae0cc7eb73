import test from 'node:test';
import { startRegistry, USER } from '../support/registry.ts';
import { tarArchive } from '../support/tar-writer.ts';
import { type CompareOptions, type Engine, onBothEngines } from './support/two-engines.ts';

/** One docker command, and how its results are compared. */
type Step = readonly [args: readonly string[], options?: CompareOptions];

/** Mooring brings an image of its own along; sizes are each engine's own (docs/docker-api.md). */
const withoutOwn = (text: string): string =>
  text
    .split('\n')
    .filter((line) => !line.includes('mooring.local/'))
    .join('\n');
/** Of fixed ends alone: which layers and digests are told on the way is each engine's own. */
const ids = (text: string): string => text.replace(/sha256:<id>/g, '<digest>');
const list = (...args: string[]): Step => [['images', '--format', '{{.Repository}}:{{.Tag}}', ...args], { also: withoutOwn, anyOrder: true }];

test('images: names, lists, inspection, history, removal, archives', onBothEngines(async (engines) => {
  const steps: Step[] = [
    list(),
    [['images', '-q', 'busybox']],
    [['images', '--no-trunc', '-q', 'busybox']],
    [['tag', 'busybox', 'a:1']],
    [['tag', 'busybox:latest', 'registry.example:5000/team/a:1']],
    [['tag', 'nosuch', 'a:2']],
    [['tag', 'busybox', 'UPPER:2']],
    [['tag', 'busybox', 'a:1@sha256:0000000000000000000000000000000000000000000000000000000000000000'], { codeOnly: true }],
    list(),
    list('a'),
    list('a:1'),
    list('a:nosuch'),
    list('--filter', 'reference=a'),
    list('--filter', 'reference=*:1'),
    list('--filter', 'reference=registry.example:5000/*/a'),
    list('--filter', 'reference=nosuch*'),
    list('--filter', 'dangling=true'),
    list('--filter', 'dangling=maybe'),
    list('--filter', 'label=nosuch'),
    list('--filter', 'nosuch=1'),
    list('--filter', 'before=nosuch'),
    [['inspect', '-f', '{{json .RepoTags}} {{json .RepoDigests}} {{.Os}} {{.Architecture}} {{.RootFS.Type}} {{len .RootFS.Layers}} {{.GraphDriver.Name}}', 'busybox'], { also: withoutOwn }],
    [['inspect', '-f', '{{json .Config.Cmd}} {{json .Config.Entrypoint}} {{json .Config.Env}} {{json .Config.Labels}} {{json .Config.Volumes}} {{.Config.User}}|{{.Config.WorkingDir}}|{{json .Config.OnBuild}} {{.Config.Tty}}', 'busybox']],
    [['image', 'inspect', 'nosuch']],
    [['image', 'inspect', 'nosuch', 'busybox'], { codeOnly: true }],
    [['history', '--format', '{{.ID}} {{.CreatedBy}}', 'busybox'], { codeOnly: true }],
    [['history', 'nosuch']],
    [['rmi', 'a:1']],
    [['rmi', 'a:1']],
    [['rmi', 'nosuch']],
    [['rmi', '-f', 'nosuch']],
    [['rmi', 'registry.example:5000/team/a:1']],
    list(),
    // Without a name, and what a name leaves behind that comes to mean another image.
    [['import', '-', 'moved:1'], { input: emptyArchive('one') }],
    [['import', '-', 'moved:1'], { input: emptyArchive('two') }],
    [['import', '--change', 'LABEL kept=yes', '--change', 'CMD ["/x"]', '--message', 'by hand', '-', 'labelled:1'], { input: emptyArchive('three') }],
    [['import', '-'], { input: emptyArchive('four') }],
    [['import', '-', 'Bad:1'], { input: emptyArchive('five') }],
    [['import', '--change', 'NOSUCH x', '-', 'bad:1'], { input: emptyArchive('six'), codeOnly: true }],
    [['import', 'http://127.0.0.1:1/nothing.tar', 'bad:1'], { codeOnly: true }],
    list('--filter', 'dangling=true'),
    list('--filter', 'label=kept'),
    list('--filter', 'label=kept=yes'),
    list('--filter', 'label=kept=no'),
    [['inspect', '-f', '{{json .Config.Labels}} {{json .Config.Cmd}} {{.Comment}}', 'labelled:1']],
    [['image', 'prune', '-f', '--filter', 'label=nosuch'], { also: sizes }],
    [['image', 'prune', '-f'], { also: (text) => sizes(counted(text)) }],
    list('--filter', 'dangling=true'),
    // Archives.
    [['save', 'nosuch']],
    [['load'], { input: 'this is no archive', codeOnly: true }],
    [['run', '--name', 'user', 'busybox', 'true']],
    [['rmi', 'busybox'], { also: ids }],
    [['create', '--name', 'changed', 'busybox', 'sh']],
    [['commit', '-m', 'msg', '-a', 'me', '-c', 'ENV X=y', 'changed', 'committed:1']],
    [['inspect', '-f', '{{json .Config.Env}} {{.Author}} {{.Comment}} {{json .Config.Cmd}}', 'committed:1']],
    [['commit', 'nosuch']],
    [['commit', 'changed', 'Bad:1'], { codeOnly: true }],
    [['rm', 'user', 'changed']],
    [['rmi', 'committed:1', 'moved:1', 'labelled:1'], { also: counted }],
    list(),
  ];
  for (const step of steps) await engines.same(...step);

  const saved = new Map<Engine, string>();
  for (const engine of engines.both) {
    const { stdout } = await engine.docker('save', 'busybox:latest');
    saved.set(engine, stdout);
    await engine.docker('rmi', 'busybox:latest');
  }
  // Each loads what the other has saved.
  for (const [index, engine] of engines.both.entries()) {
    const other = engines.both[1 - index];
    const { code, stdout, stderr } = await engine.with({ input: Buffer.from((other && saved.get(other)) ?? '', 'latin1') }, 'load');
    if (code !== 0 || stdout !== 'Loaded image: busybox:latest\n') throw new Error(`${engine.name} loads what ${other?.name} saved: ${code} ${stdout}${stderr}`);
  }
  const rest: Step[] = [list(), [['run', '--rm', 'busybox', 'echo', 'loaded']], [['system', 'prune', '-af'], { also: (text) => sizes(counted(text)) }], list()];
  for (const step of rest) await engines.same(...step);
}));

test('registries: login, push, pull, by tag and digest, and what goes wrong', onBothEngines(async (engines) => {
  await using open = await startRegistry();
  await using closed = await startRegistry({ auth: true });
  const [at, guarded] = [open.address, closed.address];
  const hosts = (text: string): string => text.replaceAll(at, 'open.example').replaceAll(guarded, 'closed.example');
  const also = (text: string): string => told(hosts(text));
  const steps: Step[] = [
    [['tag', 'busybox', `${at}/t/busybox:v1`]],
    [['push', `${at}/t/busybox:v1`], { also, anyOrder: true }],
    [['push', `${at}/t/busybox:v1`], { also, anyOrder: true }],
    [['push', `${at}/t/busybox:nosuch`], { also: hosts }],
    [['rmi', `${at}/t/busybox:v1`], { also: (text) => counted(hosts(text)) }],
    [['pull', `${at}/t/busybox:v1`], { also, anyOrder: true }],
    [['pull', `${at}/t/busybox:v1`], { also, anyOrder: true }],
    [['pull', '-q', `${at}/t/busybox:v1`], { also: hosts }],
    [['pull', `${at}/t/busybox:nosuch`], { codeOnly: true }],
    [['pull', `${at}/t/nosuch:v1`], { codeOnly: true }],
    [['images', '--format', '{{.Repository}}:{{.Tag}}', '--filter', `reference=${at}/t/busybox`], { also: hosts }],
    [['tag', 'busybox', `${guarded}/t/busybox:v1`]],
    [['push', `${guarded}/t/busybox:v1`], { codeOnly: true }],
    [['login', '-u', USER.username, '-p', 'wrong', guarded], { codeOnly: true }],
    [['rmi', `${at}/t/busybox:v1`, `${guarded}/t/busybox:v1`], { also: (text) => counted(hosts(text)) }],
  ];
  for (const step of steps) await engines.same(...step);
}));

/** How far a transfer is, layer by layer, and which layers there are: what stands at its end is compared. */
function told(text: string): string {
  return text
    .replace(/^<short id>: .*\n/gm, '')
    .replace(/sha256:<id>/g, '<digest>')
    .replace(/size: \d+/g, 'size: <size>');
}

/** Of what goes with an image, how many layers that are is each engine's own. */
function counted(text: string): string {
  return text.replace(/^(Deleted|deleted): sha256:<id>\n/gm, '').replace(/^(Untagged|untagged): \S+@sha256:<id>\n/gm, '').replace(/^.*mooring\.local.*\n/gm, '');
}

function sizes(text: string): string {
  return text.replace(/[\d.]+[kM]?B$/gm, '<size>');
}

function emptyArchive(name: string): Buffer {
  return tarArchive([{ name }]);
}
