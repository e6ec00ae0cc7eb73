import assert from 'node:assert/strict';
import { readFile, readlink, stat } from 'node:fs/promises';
import { createServer } from 'node:net';
import path from 'node:path';
import { test } from 'node:test';

import { BASE, steps, TestBuilder } from './support.ts';

test('cache mounts outlive the build, and are none of the image', async () => {
  await using builder = await TestBuilder.open();
  const dockerfile = (word: string): string => `FROM ${BASE}\nRUN --mount=type=cache,target=/cache,id=one,mode=0700 echo ${word} >> /cache/words && cat /cache/words\n`;
  assert.equal(await builder.output(dockerfile('a')), 'a\n');
  assert.equal(await builder.output(dockerfile('b')), 'a\nb\n');
  const { details } = await builder.build(dockerfile('b'));
  await assert.rejects(stat(path.join(builder.images.room.layers.folder(details.layerDigests[1]?.chainId as never), 'cache')), { code: 'ENOENT' });
  assert.match(await builder.output(`FROM ${BASE}\nRUN --mount=type=cache,target=/c,id=two,from=${BASE},source=/etc,uid=7,gid=8 ls /c && stat -c %u:%g /c\n`), /passwd\n7:8\n/);
  // Two that share one with "locked" never run side by side.
  const locked = (name: string): string => `FROM ${BASE} AS ${name}\nRUN --mount=type=cache,target=/c,id=three,sharing=locked echo begin >> /c/log && sleep 0.2 && echo end >> /c/log\n`;
  const log = await builder.output(`${locked('a')}${locked('b').replace('echo begin', 'true && echo begin')}FROM ${BASE}\nCOPY --from=a /etc/passwd /a\nCOPY --from=b /etc/passwd /b\nRUN --mount=type=cache,target=/c,id=three cat /c/log\n`);
  assert.equal(log, 'begin\nend\nbegin\nend\n');
  await builder.builds.pruneCache({ dryRun: false });
  assert.equal(await builder.output(dockerfile('b')), 'b\n', 'a prune has emptied it');
});

test('bind mounts show the context, stages and images, and keep no changes', async () => {
  await using builder = await TestBuilder.open();
  const dockerfile = `FROM ${BASE} AS other
RUN mkdir /out && echo made > /out/file && rm /etc/group
FROM ${BASE}
WORKDIR /work
RUN --mount=target=. --mount=from=other,source=/out,target=/other --mount=from=other,source=/etc,target=/their-etc --mount=from=${BASE},source=/etc/passwd,target=/file cat /work/a /other/file && ls /their-etc && test -s /file && ! touch /work/b && ! test -e /work/ignored
RUN --mount=target=/work,rw echo changed > /work/a && cat /work/a
RUN --mount=type=bind,source=a,target=/one cat /one
`;
  const context = await builder.context({ a: 'content\n', ignored: '', '.dockerignore': 'ignored' });
  const { details, progress } = await builder.build(dockerfile, context);
  const output = progress.flatMap((each) => (each.type === 'OUTPUT' && each.stream === 'stdout' ? [each.text] : []));
  assert.deepEqual(output, ['content', 'made', 'hosts', 'nsswitch.conf', 'passwd', 'changed', 'content']);
  assert.equal(await readFile(path.join(context, 'a'), 'utf8'), 'content\n');
  for (const { chainId } of details.layerDigests.slice(2)) await assert.rejects(stat(path.join(builder.images.room.layers.folder(chainId as never), 'other')), { code: 'ENOENT' });
  assert.ok(steps((await builder.build(dockerfile, context)).progress).filter((step) => step.startsWith('RUN')).every((step) => step === 'RUN Cached'));
  const changed = await builder.build(dockerfile, { a: 'else\n', ignored: '', '.dockerignore': 'ignored' });
  assert.equal(steps(changed.progress).filter((step) => step === 'RUN Done').length, 3, 'what is shown counts');
});

test('secrets, agents and memory are seen by the command alone', async () => {
  await using builder = await TestBuilder.open();
  const socket = path.join(builder.root, 'agent.sock');
  await using agent = createServer((connection) => connection.end('agent\n'));
  await new Promise<void>((resolve) => agent.listen(socket, resolve));
  const more = { secrets: new Map([['token', Buffer.from('hidden-7f3a91')]]), ssh: new Map([['default', socket]]) };
  const dockerfile = `FROM ${BASE}
RUN --mount=type=secret,id=token,required cat /run/secrets/token && echo && stat -c %a:%u /run/secrets/token
RUN --mount=type=secret,id=token,target=/etc/token,mode=0444,uid=33 --mount=type=secret,id=token,env=TOKEN echo $TOKEN && stat -c %a:%u /etc/token
RUN --mount=type=secret,id=none ! test -e /run/secrets/none
RUN --mount=type=ssh test -S $SSH_AUTH_SOCK
RUN --mount=type=tmpfs,target=/memory,size=1m df -m /memory | tail -1 | awk '{print $2}' && touch /memory/a
RUN ! test -e /run/secrets/token && ! test -e /etc/token && ! test -e /memory/a
`;
  const { details, progress } = await builder.build(dockerfile, {}, more);
  assert.deepEqual(progress.flatMap((each) => (each.type === 'OUTPUT' ? [each.text] : [])), ['hidden-7f3a91', '400:0', 'hidden-7f3a91', '444:33', '1']);
  const archive = Buffer.concat(await Array.fromAsync(await builder.images.save([details.names[0] ?? ''], 'oci')));
  assert.ok(!archive.includes('hidden-7f3a91'), 'no secret is in the image');
  await assert.rejects(builder.build(`FROM ${BASE}\nRUN --mount=type=secret,id=none,required true\n`), { at: 'Dockerfile:2:1', message: /requires the secret "none"/ });
  await assert.rejects(builder.build(`FROM ${BASE}\nRUN --mount=type=ssh,required true\n`), { message: /requires the agent "default"/ });
  await assert.rejects(builder.build(`FROM ${BASE}\nRUN --mount=type=cache,target=/a,colour=red true\n`), { message: /no option "colour"/ });
});

test('here-documents are scripts, programs of their own, or the shell\'s', async () => {
  await using builder = await TestBuilder.open();
  const lines = ['FROM ' + BASE, 'ENV WHO=world', 'RUN <<EOF', 'set -e', 'echo hello $WHO', 'EOF', 'RUN <<"EOF"', '#!/usr/bin/awk -f', 'BEGIN { print 6 * 7 }', 'EOF', 'RUN cat <<EOF | tr a-z A-Z && cat <<-TWO', 'piped $WHO', 'EOF', '\ttabs', '\tTWO', 'COPY <<config.ini <<"raw" /etc/app/', 'who=$WHO', 'config.ini', 'raw=$WHO', 'raw', 'RUN cat /etc/app/config.ini /etc/app/raw', 'RUN --network=none test $(ls /sys/class/net) = lo', ''];
  assert.equal(await builder.output(lines.join('\n')), 'hello world\n42\nPIPED WORLD\ntabs\nwho=world\nraw=$WHO\n');
});

test('arguments reach where they should, and proxies leave no trace', async () => {
  await using builder = await TestBuilder.open();
  const more = { buildArguments: new Map([['A', 'given'], ['HTTP_PROXY', 'http://proxy.example'], ['UNUSED', 'x']]) };
  const dockerfile = `ARG A=default
ARG B=b-$A
FROM ${BASE} AS first
RUN echo "<$A$B>" $HTTP_PROXY
ARG A
ARG B
ARG C=\${A}-\${B}
RUN echo $A $B $C
ENV A=env
RUN echo $A
FROM first
ARG TARGETARCH
RUN echo "$A <$B> $TARGETARCH"
LABEL l=$NOWHERE
`;
  const { details, progress } = await builder.build(dockerfile, {}, more);
  const arch = details.platform.architecture;
  assert.deepEqual(progress.flatMap((each) => (each.type === 'OUTPUT' ? [each.text] : [])), ['<> http://proxy.example', 'given b-given given-b-given', 'env', `env <> ${arch}`]);
  assert.ok(!JSON.stringify(details.config).includes('proxy.example'));
  assert.deepEqual(progress.flatMap((each) => (each.type === 'WARNING' ? [each.rule] : [])), ['UndefinedVar', 'UnusedBuildArg']);
  const other = await builder.build(dockerfile, {}, { buildArguments: new Map([['A', 'given'], ['HTTP_PROXY', 'http://other.example']]) });
  assert.ok(steps(other.progress).filter((step) => step.startsWith('RUN')).every((step) => step === 'RUN Cached'), 'nor do they count');
});

test("the node's network and more names are seen where they are asked for", async () => {
  await using builder = await TestBuilder.open();
  const dockerfile = `FROM ${BASE}\nRUN grep added.example /etc/hosts && test "$(readlink /proc/self/ns/net)" = "$THEIRS"\n`;
  const theirs = await readlink('/proc/self/ns/net');
  const output = await builder.output(dockerfile.replace('\nRUN', '\nARG THEIRS\nRUN'), {}, { network: 'Host', addHosts: ['added.example:10.9.8.7'], buildArguments: new Map([['THEIRS', theirs]]) });
  assert.equal(output, '10.9.8.7\tadded.example\n');
});

test('no folder of the node is left where mounts were', async () => {
  await using builder = await TestBuilder.open();
  const { details } = await builder.build(`FROM ${BASE}\nRUN --mount=type=tmpfs,target=/deep/er/still true\nRUN mkdir /kept\n`);
  const [, first, second] = details.layerDigests.map(({ chainId }) => builder.images.room.layers.folder(chainId as never));
  await assert.rejects(stat(path.join(first ?? '', 'deep')), { code: 'ENOENT' });
  assert.ok((await stat(path.join(second ?? '', 'kept'))).isDirectory());
});
