import assert from 'node:assert/strict';
import path from 'node:path';
import { test } from 'node:test';

import { missing, succeed } from '../oci/command.ts';
import { Dockerd } from '../oci/dockerd.ts';
import { ask, type Engine } from '../oci/engine.ts';
import { Podman } from '../oci/podman.ts';
import { BASE, TestBuilder } from './support.ts';

const NAME = 'example.local/built:1';

const DOCKERFILE = `FROM ${BASE} AS one
RUN mkdir -p /srv/deep && echo first > /srv/deep/word && ln /srv/deep/word /srv/hard && rm /bin/ash
FROM one
COPY --chown=33:33 --chmod=640 word /srv/deep/
RUN rm /srv/hard && mkdir /srv/made
ENV GREETING="hello world"
LABEL org.example=built
EXPOSE 80
USER www-data
WORKDIR /srv/deep
HEALTHCHECK --interval=7s CMD true
STOPSIGNAL SIGQUIT
ENTRYPOINT ["/bin/sh", "-c"]
CMD ["echo $GREETING; cat word; ls -A /srv; id -u; test ! -e /bin/ash && echo gone"]
`;
const SAID = 'hello world\nthe word\ndeep\nmade\n33\ngone';

interface Inspected {
  readonly Id: string;
  readonly RootFS: { readonly Layers: readonly string[] };
  readonly Config: Readonly<Record<string, unknown>>;
}

test('docker and podman load, inspect and run what was built, by the same ID and layers', { skip: missing('dockerd', 'docker', 'runc', 'podman', 'crun', 'skopeo') }, async (t) => {
  await using builder = await TestBuilder.open();
  const archive = path.join(builder.root, 'built.tar');
  const { imageId, details } = await builder.build(DOCKERFILE, { word: 'the word\n' }, { outputs: [{ type: 'docker', destination: archive }] });
  const look = async (engine: Engine): Promise<void> => {
    await ask(engine, 'load', '-i', archive);
    const [found] = JSON.parse(await ask(engine, 'image', 'inspect', NAME)) as Inspected[];
    assert.ok(found);
    assert.equal(found.Id.replace('sha256:', ''), imageId.replace('sha256:', ''));
    assert.deepEqual(found.RootFS.Layers, details.layerDigests.map(({ diffId }) => diffId));
    const { Env, Cmd, Entrypoint, User, WorkingDir, Labels, ExposedPorts, StopSignal } = found.Config;
    const own = details.config.config;
    assert.deepEqual({ Env, Cmd, Entrypoint, User, WorkingDir, Labels, ExposedPorts, StopSignal }, { Env: own?.Env, Cmd: own?.Cmd, Entrypoint: own?.Entrypoint, User: own?.User, WorkingDir: own?.WorkingDir, Labels: own?.Labels, ExposedPorts: own?.ExposedPorts, StopSignal: own?.StopSignal });
    assert.equal((await ask(engine, 'run', '--rm', ...engine.runFlags, NAME)).trim(), SAID);
  };
  await t.test('docker', async () => {
    await using dockerd = await Dockerd.start();
    await look(dockerd.peer);
  });
  await t.test('podman', async () => {
    await using podman = await Podman.start();
    await look(podman.peer);
  });
  await t.test('skopeo', async () => {
    const { config } = JSON.parse(await succeed('skopeo', ['inspect', '--config', `docker-archive:${archive}`])) as { config: { Env: string[]; Cmd: string[] } };
    assert.deepEqual([config.Env, config.Cmd], [details.config.config?.Env, details.config.config?.Cmd]);
  });
});
