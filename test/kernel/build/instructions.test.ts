import assert from 'node:assert/strict';
import { chmod, lstat, readlink, symlink } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';

import type { MooringError } from '../../../src/lib/errors.ts';
import { BASE, steps, TestBuilder } from './support.ts';

test('stages, copies, commands and metadata make an image, and the same again comes from the cache', async () => {
  await using builder = await TestBuilder.open();
  const context = await builder.context({ 'a.txt': 'content', 'dir/b': 'b', ignored: 'x', '.dockerignore': 'ignored\n' });
  const dockerfile = `ARG NAME=made
FROM ${BASE} AS first
ARG NAME
ARG COUNT=2
ENV WORD="two words" OTHER=$NAME
WORKDIR /srv/app
COPY . .
RUN test ! -e ignored && grep -q "^[0-9]* [0-9]* [0-9:]* / / .*[,=]volatile" /proc/self/mountinfo && echo "$WORD $OTHER $COUNT" > out && rm /bin/ash
FROM ${BASE} AS unused
RUN false
FROM ${BASE}
COPY --from=first --chown=www-data --chmod=u+x,go= /srv/app/out /x/
LABEL a=b "c d"='e f'
EXPOSE 80 8000-8001/udp
VOLUME ["/data"]
USER www-data:www-data
STOPSIGNAL SIGQUIT
HEALTHCHECK --interval=5s --retries=2 CMD test -e /x/out
SHELL ["/bin/sh", "-ec"]
ENTRYPOINT ["/bin/cat"]
CMD ["/x/out"]
ONBUILD RUN touch /triggered
MAINTAINER somebody
`;
  const { details, progress, imageId } = await builder.build(dockerfile, context);
  const { OnBuild, ...config } = details.config.config ?? {};
  assert.deepEqual(config, {
    Env: ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'],
    Cmd: ['/x/out'],
    Labels: { a: 'b', 'c d': 'e f' },
    ExposedPorts: { '80/tcp': {}, '8000/udp': {}, '8001/udp': {} },
    Volumes: { '/data': {} },
    User: 'www-data:www-data',
    StopSignal: 'SIGQUIT',
    Healthcheck: { Test: ['CMD-SHELL', 'test -e /x/out'], Interval: 5e9, Retries: 2 },
    Shell: ['/bin/sh', '-ec'],
    Entrypoint: ['/bin/cat'],
  });
  assert.deepEqual([OnBuild, details.config.author, details.layers], [['RUN touch /triggered'], 'somebody', 2]);
  assert.ok(steps(progress).every((step) => step.endsWith('Done')), 'the stage that nothing needs is not built');
  const layer = builder.images.room.layers.folder(details.layerDigests[1]?.chainId as never);
  const { mode, uid, gid } = await lstat(path.join(layer, 'x/out'));
  assert.deepEqual([mode & 0o7777, uid, gid], [0o700, 33, 33]);

  const again = await builder.build(dockerfile, context);
  assert.equal(again.imageId, imageId);
  assert.deepEqual(steps(again.progress).filter((step) => /^(COPY|RUN|WORKDIR)/.test(step)), ['WORKDIR Cached', 'COPY Cached', 'RUN Cached', 'COPY Cached']);

  const triggered = await builder.build('FROM example.local/built:1\nUSER root\n', {}, { tags: ['example.local/next:1'] }).catch((error: unknown) => error);
  assert.match(String(triggered), /RUN touch \/triggered ended with status 1/, 'the trigger runs as the user of the image');
});

test('only what has changed is made again', async () => {
  await using builder = await TestBuilder.open();
  const dockerfile = `FROM ${BASE}\nCOPY a /a\nRUN cat /a > /b\nCOPY c /c\nRUN true\n`;
  await builder.build(dockerfile, { a: '1', c: '1' });
  const cached = async (files: Readonly<Record<string, string>>, more = {}): Promise<string> => steps((await builder.build(dockerfile, files, more)).progress).slice(1).join();
  assert.equal(await cached({ a: '1', c: '1' }), 'COPY Cached,RUN Cached,COPY Cached,RUN Cached', 'whatever the dates are');
  assert.equal(await cached({ a: '1', c: '2' }), 'COPY Cached,RUN Cached,COPY Done,RUN Done');
  assert.equal(await cached({ a: '2', c: '1' }), 'COPY Done,RUN Done,COPY Done,RUN Done');
  assert.equal(await cached({ a: '1', c: '1' }, { noCache: true }), 'COPY Done,RUN Done,COPY Done,RUN Done');
  const usage = await builder.builds.cacheUsage();
  assert.ok(usage.count > 0 && usage.reclaimable > 0);
  await builder.builds.pruneCache({ dryRun: false });
  await builder.images.prune({ all: false, dryRun: false });
  assert.equal(await cached({ a: '1', c: '1' }), 'COPY Done,RUN Done,COPY Done,RUN Done', 'a prune forgets');
});

test('a failing command is told with its line, its status and its last output', async () => {
  await using builder = await TestBuilder.open();
  const failure = (dockerfile: string, files = {}, more = {}): Promise<unknown> => builder.build(dockerfile, files, more).then(() => assert.fail('it was built'), ({ code, at, fix, message }: MooringError) => ({ code, at, fix, message }));
  assert.partialDeepStrictEqual(await failure(`FROM ${BASE}\n\nRUN echo one && echo two >&2 && exit 7\n`), { at: 'Dockerfile:3:1', message: 'RUN echo one && echo two >&2 && exit 7 ended with status 7; the last that it wrote:\n  | one\n  | two' });
  assert.partialDeepStrictEqual(await failure(`FROM ${BASE}\nRUN nothing-like-this\n`), { at: 'Dockerfile:2:1', fix: 'its program is not in the image, or not on its PATH' });
  assert.partialDeepStrictEqual(await failure(`FROM ${BASE}\nCOPY missing /\n`), { at: 'Dockerfile:2:1', message: '"missing" does not exist' });
  assert.partialDeepStrictEqual(await failure(`FROM ${BASE}\nCOPY a b /x\n`, { a: '', b: '' }), { at: 'Dockerfile:2:1', fix: 'end its destination with a slash: /x/' });
  assert.partialDeepStrictEqual(await failure(`FROM ${BASE}\nRUN --security=insecure true\n`), { code: 'Unsupported', at: 'Dockerfile:2:1' });
  assert.partialDeepStrictEqual(await failure(`FROM ${BASE}\nRUN true\n`, {}, { target: 'none' }), { message: 'there is no stage "none"' });
  assert.partialDeepStrictEqual(await failure(`FROM ${BASE}\nENV A="\${B:?must be given}"\n`), { at: 'Dockerfile:2:1', message: 'B: must be given' });
  assert.partialDeepStrictEqual(await failure('FROM mooring.local/none\n'), { code: 'NotFound', at: 'Dockerfile:1:1' });
});

test('links of a context and of an image never lead out of them', async () => {
  await using builder = await TestBuilder.open();
  const context = await builder.context({ 'real/file': 'inside', 'hosts.txt': 'inside' });
  await symlink('/etc/passwd', path.join(context, 'absolute'));
  await symlink('../../../../../../hosts.txt', path.join(context, 'upwards'));
  await symlink('/real', path.join(context, 'folder'));
  await symlink('loop', path.join(context, 'loop'));
  await chmod(path.join(context, 'real'), 0o750);
  const { details } = await builder.build(`FROM ${BASE}\nRUN ln -s /etc /to-etc && ln -s /nowhere /dangling\nCOPY upwards folder/file /to-etc/\nCOPY folder /dangling\nCOPY . /all\n`, context);
  const [, links, files, dangling, all] = details.layerDigests.map(({ chainId }) => builder.images.room.layers.folder(chainId as never));
  assert.equal(await readlink(path.join(links ?? '', 'to-etc')), '/etc');
  assert.equal((await lstat(path.join(files ?? '', 'etc/upwards'))).size, 'inside'.length, 'it leads to the file at the root of the context');
  assert.ok((await lstat(path.join(dangling ?? '', 'nowhere/file'))).isFile());
  assert.equal(await readlink(path.join(all ?? '', 'all/absolute')), '/etc/passwd', 'within a folder a link is copied as it is');
  assert.equal((await lstat(path.join(all ?? '', 'all/real'))).mode & 0o7777, 0o750);
  await assert.rejects(builder.build(`FROM ${BASE}\nCOPY absolute /\n`, context), { code: 'NotFound' });
  await assert.rejects(builder.build(`FROM ${BASE}\nCOPY loop /\n`, context), { message: /loop of symbolic links/ });
});
