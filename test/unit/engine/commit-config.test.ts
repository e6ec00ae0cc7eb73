import assert from 'node:assert/strict';
import { test } from 'node:test';

import { changedConfig, configOfContainer } from '../../../src/engine/files/commit-config.ts';
import { containerSchema } from '../../../src/spec/container.ts';

const specOf = (spec: Record<string, unknown>) => containerSchema.parse({ apiVersion: 'mooring.dev/v1alpha1', kind: 'Container', metadata: { name: 'web' }, spec: { image: 'example/web:1', ...spec } }).spec;

test('instructions change the config as in a Dockerfile, one after the other', () => {
  const base = { Env: ['PATH=/bin', 'A=1'], Cmd: ['old'], Labels: { kept: 'yes' }, WorkingDir: '/srv', ExposedPorts: { '1/tcp': {} } };
  const changed = changedConfig(base, ['ENV B=$A-2 A=3', 'WORKDIR sub', 'EXPOSE 80 53/udp', 'LABEL k="a b"', 'USER 7', 'VOLUME ["/v"]', 'CMD echo $A', 'ENTRYPOINT ["/bin/sh","-c"]', 'STOPSIGNAL SIGINT', 'ONBUILD RUN true', ' ']);
  assert.deepEqual(changed, {
    Env: ['PATH=/bin', 'A=3', 'B=1-2'],
    Cmd: ['/bin/sh', '-c', 'echo $A'],
    Entrypoint: ['/bin/sh', '-c'],
    Labels: { kept: 'yes', k: 'a b' },
    WorkingDir: '/srv/sub',
    ExposedPorts: { '1/tcp': {}, '80/tcp': {}, '53/udp': {} },
    User: '7',
    Volumes: { '/v': {} },
    StopSignal: 'SIGINT',
    OnBuild: ['RUN true'],
  });
  assert.deepEqual(changedConfig(base, []), base);
});

test('an instruction that is none of the config’s, or no instruction, is refused by name', () => {
  for (const [change, message] of [['RUN true', /^RUN is no change/], ['COPY a b', /^COPY is no change/], ['NONSENSE x', /no instruction/], ['EXPOSE eighty', /no port/], ['ENV A', /lacks a value/]] as const) {
    assert.throws(() => changedConfig({}, [change]), { code: 'Invalid', message });
  }
});

test('a container says of its image what was asked for it, over what its own image says', () => {
  const image = { Env: ['PATH=/bin', 'A=1'], Entrypoint: ['/entry'], Cmd: ['arg'], User: 'app', Labels: { k: 'v' } };
  assert.deepEqual(configOfContainer(specOf({}), image), image);
  assert.deepEqual(configOfContainer(specOf({ command: ['/bin/sh'], env: [{ name: 'A', value: '2' }, { name: 'B', value: '3' }], workingDir: '/w', user: '5:6', stopSignal: 'INT', ports: [{ containerPort: 80 }, { containerPort: 53, protocol: 'UDP' }] }), image), {
    ...image,
    Env: ['PATH=/bin', 'A=2', 'B=3'],
    Entrypoint: ['/bin/sh'],
    Cmd: null,
    User: '5:6',
    WorkingDir: '/w',
    StopSignal: 'SIGINT',
    ExposedPorts: { '80/tcp': {}, '53/udp': {} },
  });
  assert.deepEqual(configOfContainer(specOf({ args: ['other'] }), image).Cmd, ['other']);
});
