import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { link, lstat, mkdir, readdir, readFile, utimes } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';

import { tarArchive } from '../../support/tar-writer.ts';
import { BASE, steps, TestBuilder } from './support.ts';

const run = promisify(execFile);

test('COPY takes folders, patterns, exclusions and parents as the reference has them', async () => {
  await using builder = await TestBuilder.open();
  const files = { 'a.txt': 'a', 'b.txt': 'b', 'c.md': 'c', 'src/one/x.ts': 'x', 'src/one/x.test.ts': 't', 'src/two/y.ts': 'y', 'odd[1].txt': 'o', empty: null };
  const listed = async (dockerfile: string): Promise<string[]> => (await builder.output(`FROM ${BASE}\nWORKDIR /w\n${dockerfile}\nRUN find . -mindepth 1 | sort\n`, files)).trim().split('\n');
  assert.deepEqual(await listed('COPY *.txt ./'), ['./a.txt', './b.txt', './odd[1].txt']);
  assert.deepEqual(await listed('COPY [ab].txt none*.txt ./'), ['./a.txt', './b.txt']);
  assert.deepEqual(await listed('COPY odd[[]1].txt ./'), ['./odd[1].txt']);
  assert.deepEqual(await listed('COPY src/one new/'), ['./new', './new/x.test.ts', './new/x.ts']);
  assert.deepEqual(await listed('COPY src/one fresh'), ['./fresh', './fresh/x.test.ts', './fresh/x.ts']);
  assert.deepEqual(await listed('COPY --exclude=**/*.test.ts --exclude=two src .'), ['./one', './one/x.ts']);
  assert.deepEqual(await listed('COPY --parents src/*/y.ts a.txt ./'), ['./a.txt', './src', './src/two', './src/two/y.ts']);
  assert.deepEqual(await listed('COPY --parents src/./two/y.ts ./'), ['./two', './two/y.ts']);
  assert.deepEqual(await listed('COPY ["a.txt", "b.txt", "deep er/"]'), ['./deep er', './deep er/a.txt', './deep er/b.txt']);
  assert.deepEqual(await listed('COPY empty ./kept/'), ['./kept']);
  await assert.rejects(listed('COPY nothing* ./'), { code: 'NotFound', at: 'Dockerfile:3:1' });
  await assert.rejects(listed('RUN mkdir a.txt\nCOPY a.txt /w/a.txt/../a.txt\nCOPY src/one/x.ts /w/a.txt\nRUN false'), { at: 'Dockerfile:6:1' });
});

test('COPY keeps what files are: modes, dates, hard links, owners of other stages, folders that are there', async () => {
  await using builder = await TestBuilder.open();
  const context = await builder.context({ 'f/a': 'a', 'f/sub/c': 'c' });
  await link(path.join(context, 'f/a'), path.join(context, 'f/b'));
  await utimes(path.join(context, 'f/a'), 1_000_000, 1_000_000);
  const dockerfile = `FROM ${BASE} AS one
RUN mkdir -p /home/u && chown 1000:1001 /home/u && chmod 700 /home/u && echo x > /home/u/f && chown 1000:1001 /home/u/f && chmod 4755 /home/u/f && mkdir -p /target && chmod 1770 /target && chown 7 /target
COPY f /home/u/
COPY --link --chown=5 f/a /linked/deep/a
FROM ${BASE}
COPY --from=one /home /home
COPY --from=0 --chmod=u=rwX,go=rX /target/ /target/
RUN stat -c '%n %a %u:%g %h %Y' /home/u/f /home/u/a /home/u/b /home/u/sub | sed 's/ [0-9]\\{10\\}$//' && stat -c '%a %u' /home/u
`;
  assert.equal(await builder.output(dockerfile, context), ['/home/u/f 4755 1000:1001 1', '/home/u/a 644 0:0 2 1000000', '/home/u/b 644 0:0 2 1000000', '/home/u/sub 755 0:0 2', '700 1000', ''].join('\n'));
  const { details } = await builder.build(`FROM ${BASE}\nRUN mkdir -p /t && chmod 1770 /t && chown 7 /t\nCOPY f/a /t/\nCOPY --link --chown=5 f/a /linked/deep/a\n`, context);
  const folders = details.layerDigests.map(({ chainId }) => builder.images.room.layers.folder(chainId as never));
  const kept = await lstat(path.join(folders[2] ?? '', 't'));
  assert.deepEqual([kept.mode & 0o7777, kept.uid], [0o1770, 7], 'a folder that is there stays what it is');
  assert.deepEqual([(await lstat(path.join(folders[3] ?? '', 'linked'))).uid, (await lstat(path.join(folders[3] ?? '', 'linked/deep/a'))).gid], [5, 5]);
});

test('ADD unpacks archives of the context, and fetches what an address names', async () => {
  await using builder = await TestBuilder.open();
  const archive = tarArchive([{ name: 'in/', type: '5', mode: 0o755 }, { name: 'in/side', content: 'inside', uid: 12, mode: 0o640 }]);
  const context = await builder.context({ 'plain.tar': archive, 'gzip.tgz': gzipSync(archive), 'not.gz': gzipSync('only text'), 'text.tar': 'no archive' });
  for (const [program, ending] of [['xz', 'xz'], ['bzip2', 'bz2']] as const) await run(program, ['-k', path.join(context, 'plain.tar')]).then(() => undefined, (error: unknown) => assert.fail(`${program} ${ending}: ${String(error)}`));
  const output = await builder.output(`FROM ${BASE}\nADD plain.tar /p/\nADD gzip.tgz /g/\nADD plain.tar.xz /x/\nADD plain.tar.bz2 /b/\nADD not.gz text.tar /n/\nADD --unpack=false plain.tar /u/\nADD --chown=3:4 plain.tar /o/\nRUN stat -c '%n %a %u:%g' /[pgxb]/in/side /o/in/side && ls /n /u\n`, context);
  assert.equal(output, ['/b/in/side 640 12:0', '/g/in/side 640 12:0', '/p/in/side 640 12:0', '/x/in/side 640 12:0', '/o/in/side 640 3:4', '/n:', 'not.gz', 'text.tar', '', '/u:', 'plain.tar', ''].join('\n'));

  let served = 'content';
  await using server = createServer((request, response) => {
    if (request.url === '/gone') response.writeHead(404).end();
    else if (request.url === '/moved') response.writeHead(302, { location: '/file.txt' }).end();
    else response.writeHead(200, { 'last-modified': 'Thu, 01 Jan 2015 00:00:00 GMT' }).end(request.url?.endsWith('.tar') ? archive : served);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const at = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const dockerfile = `FROM ${BASE}\nADD ${at}/file.txt /f/\nADD --chmod=644 ${at}/moved /renamed\nADD ${at}/a.tar /kept/\nADD --unpack=true ${at}/a.tar /unpacked/\nRUN stat -c '%n %a %u %Y' /f/file.txt && stat -c %a /renamed && ls /kept /unpacked\n`;
  assert.equal(await builder.output(dockerfile), ['/f/file.txt 600 0 1420070400', '644', '/kept:', 'a.tar', '', '/unpacked:', 'in', ''].join('\n'));
  assert.ok(steps((await builder.build(dockerfile)).progress).every((step) => !step.endsWith('Failed')));
  served = 'other';
  assert.equal(steps((await builder.build(dockerfile)).progress)[1], 'ADD Done', 'another content is another key');
  const sum = createHash('sha256').update(served).digest('hex');
  await builder.build(`FROM ${BASE}\nADD --checksum=sha256:${sum} ${at}/file.txt /f\n`);
  await assert.rejects(builder.build(`FROM ${BASE}\nADD --checksum=sha256:${'0'.repeat(64)} ${at}/file.txt /f\n`), { code: 'Invalid', at: 'Dockerfile:2:1', message: /has the checksum sha256:/ });
  await assert.rejects(builder.build(`FROM ${BASE}\nADD ${at}/gone /f\n`), { at: 'Dockerfile:2:1', message: /404/ });
  await assert.rejects(builder.build(`FROM ${BASE}\nADD ${at}/ /f/\n`), { fix: /give the destination a name/ });
});

test('an archive of a context can lead nowhere', async () => {
  await using builder = await TestBuilder.open();
  const evil = tarArchive([{ name: 'link', type: '2', link: '/' }, { name: 'link/escaped', content: 'x' }]);
  const { details } = await builder.build(`FROM ${BASE}\nADD evil.tar /in/\n`, { 'evil.tar': evil }).catch((error: unknown) => ({ details: error }));
  assert.ok(details instanceof Error || (await readdir('/')).every((name) => name !== 'escaped'));
  await assert.rejects(builder.build(`FROM ${BASE}\nADD up.tar /in/\n`, { 'up.tar': tarArchive([{ name: '../up', content: 'x' }]) }), { code: 'Invalid', at: 'Dockerfile:2:1' });
});

test('with SOURCE_DATE_EPOCH two builds that share nothing are the same to the digest', async () => {
  const build = async (): Promise<string> => {
    await using builder = await TestBuilder.open();
    const context = await builder.context({ a: 'a', 'd/b': 'b' });
    const epoch = { buildArguments: new Map([['SOURCE_DATE_EPOCH', '1700000000']]) };
    const { manifestDigest, details } = await builder.build(`FROM ${BASE}\nWORKDIR /w\nCOPY . .\nRUN mkdir -p x/y && echo made > x/y/z && ln x/y/z hard && rm /bin/ash && echo > /etc/motd\nADD d /e\n`, context, epoch);
    assert.equal(details.config.created, '2023-11-14T22:13:20.000Z');
    return manifestDigest;
  };
  assert.equal(await build(), await build());
});

test('a result goes where --output says: a folder, an archive of files, an OCI and a docker archive', async () => {
  await using builder = await TestBuilder.open();
  const out = path.join(builder.root, 'out');
  await mkdir(out);
  const outputs = [{ type: 'local', destination: path.join(out, 'folder') }, { type: 'tar', destination: path.join(out, 'rootfs.tar') }, { type: 'oci', destination: path.join(out, 'oci.tar') }, { type: 'docker', destination: path.join(out, 'docker.tar') }] as const;
  await builder.build('FROM scratch\nCOPY a /files/a\nCMD ["/files/a"]\n', { a: 'content' }, { outputs });
  assert.equal(await readFile(path.join(out, 'folder/files/a'), 'utf8'), 'content');
  assert.match((await run('tar', ['-tf', path.join(out, 'rootfs.tar')])).stdout, /^files\/\nfiles\/a\n$/);
  for (const kind of ['oci', 'docker']) {
    const { stdout } = await run('skopeo', ['inspect', '--config', `${kind}-archive:${path.join(out, kind)}.tar`]);
    assert.deepEqual((JSON.parse(stdout) as { config: { Cmd: string[] } }).config.Cmd, ['/files/a']);
  }
  assert.deepEqual((await readdir(out)).sort(), ['docker.tar', 'folder', 'oci.tar', 'rootfs.tar'], 'nothing half made stays');
  await assert.rejects(builder.build('FROM scratch\nCOPY a /\n', { a: '' }, { outputs: [{ type: 'tar', destination: path.join(out, 'missing/out.tar') }] }), { message: /write the output/ });
  await assert.rejects(builder.build(`FROM --platform=linux/s390x ${BASE}\nRUN true\n`), { code: 'NotFound', at: 'Dockerfile:1:1', message: /is not for linux\/s390x but/ });
  const other = await builder.build('FROM --platform=linux/s390x scratch\nCOPY a /a\n', { a: '' }, { tags: ['example.local/other:1'] });
  assert.equal(other.details.platform.architecture, 's390x');
});
