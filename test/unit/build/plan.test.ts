import assert from 'node:assert/strict';
import { test } from 'node:test';

import { planBuild } from '../../../src/engine/build/build-plan.ts';
import { parseDockerfile } from '../../../src/engine/build/dockerfile.ts';
import { hostLine } from '../../../src/engine/build/host-line.ts';
import { Lint } from '../../../src/engine/build/lint.ts';
import { parseModeChange } from '../../../src/engine/build/mode-change.ts';
import { parseMount } from '../../../src/engine/build/mount-option.ts';
import { parseGitSource } from '../../../src/engine/build/git.ts';
import type { BuildProgress } from '../../../src/engine/build/progress.ts';

const HERE = { os: 'linux', architecture: 'amd64' };
const plan = (text: string, target?: string, args: Readonly<Record<string, string>> = {}) =>
  planBuild(parseDockerfile(text, 'Dockerfile'), { buildArguments: new Map(Object.entries(args)), target, buildPlatform: HERE, targetPlatform: { os: 'linux', architecture: 'arm64', variant: 'v8' } });

test('stages know what they start from, by name, by variable, or from nothing', () => {
  const { stages, target } = plan('ARG TAG=1\nARG IMAGE=base:$TAG\nFROM --platform=$BUILDPLATFORM $IMAGE AS One\nFROM one AS two\nFROM scratch\nFROM other\n', 'TWO', { TAG: '7' });
  assert.deepEqual(stages.map(({ name, base, platform }) => [name, base, platform]), [
    ['one', { kind: 'image', reference: 'base:7' }, 'linux/amd64'],
    ['two', { kind: 'stage', index: 0 }, undefined],
    [undefined, { kind: 'scratch' }, undefined],
    [undefined, { kind: 'image', reference: 'other' }, undefined],
  ]);
  assert.equal(target.index, 1);
  assert.equal(plan('FROM a\nFROM b\n').target.index, 1, 'the last one, unless asked otherwise');
  assert.equal(plan('FROM a\nFROM b\n', '0').target.index, 0);
});

test('a malformed plan is told with its place', () => {
  for (const [text, at, message] of [
    ['RUN a\nFROM b\n', 'Dockerfile:1:1', /before the first FROM/],
    ['ARG A\n', 'Dockerfile:1:1', /has no FROM/],
    ['FROM a b\n', 'Dockerfile:1:1', /behind AS/],
    ['FROM a\nFROM b AS 1x\n', 'Dockerfile:2:1', /no name for a stage/],
    ['FROM $NONE\n', 'Dockerfile:1:1', /names no image/],
    ['FROM --colour=red a\n', 'Dockerfile:1:1', /no flag --colour/],
  ] as const) {
    assert.throws(() => plan(text), { code: 'Invalid', at, message }, text);
  }
  assert.throws(() => plan('FROM a AS build\n', 'bild'), { fix: 'did you mean build?' });
});

test('what is probably not meant is a warning, which a directive silences or hardens', () => {
  const warnings = (text: string): string[] => {
    const found: string[] = [];
    new Lint(plan(text), (progress: BuildProgress) => progress.type === 'WARNING' && found.push(`${progress.at} ${progress.rule}`)).run();
    return found;
  };
  const text = 'FROM a AS Upper\nMAINTAINER me\nENV a b\nCMD one\nCMD ["two"]\n';
  assert.deepEqual(warnings(text), ['Dockerfile:2:1 MaintainerDeprecated', 'Dockerfile:3:1 LegacyKeyValueFormat', 'Dockerfile:4:1 JSONArgsRecommended', 'Dockerfile:4:1 MultipleInstructionsDisallowed', 'Dockerfile:1:1 StageNameCasing']);
  assert.deepEqual(warnings(`# check=skip=all\n${text}`), []);
  assert.throws(() => warnings(`# check=error=true\n${text}`), { code: 'Invalid' });
});

test('--chmod is octal or symbolic', () => {
  for (const [text, from, isFolder, wanted] of [
    ['755', 0o600, false, 0o755],
    ['04711', 0o600, false, 0o4711],
    ['u+x', 0o644, false, 0o744],
    ['go-rwx', 0o755, false, 0o700],
    ['u=rwX,go=rX', 0o600, false, 0o644],
    ['u=rwX,go=rX', 0o600, true, 0o755],
    ['a=r,u+w', 0o777, false, 0o644],
    ['g=u', 0o640, false, 0o660],
    ['u+s,+t', 0o755, false, 0o5755],
    ['+x', 0o644, false, 0o755],
  ] as const) {
    assert.equal(parseModeChange(text)(from, isFolder).toString(8), wanted.toString(8), `${text} of ${from.toString(8)}`);
  }
  for (const text of ['', '9', '77777', 'x+r', 'u', 'u=q']) assert.throws(() => parseModeChange(text), { code: 'Invalid' }, text);
});

test('options of mounts have their names, defaults and bounds', () => {
  assert.deepEqual(parseMount('type=cache,target=/c', ''), { type: 'cache', from: undefined, target: '/c', id: '/c', source: '/', sharing: 'shared', readOnly: false, mode: 0o755, uid: 0, gid: 0 });
  assert.deepEqual(parseMount('src=a,dst=/b,readwrite,from=c', ''), { type: 'bind', from: 'c', target: '/b', source: 'a', writable: true });
  assert.deepEqual(parseMount('type=secret,id=a', ''), { type: 'secret', from: undefined, id: 'a', target: '/run/secrets/a', variable: undefined, required: false, mode: 0o400, uid: 0, gid: 0 });
  assert.deepEqual(parseMount('type=tmpfs,target=/t,size=2m', ''), { type: 'tmpfs', from: undefined, target: '/t', size: 2 ** 21 });
  for (const text of ['type=none', 'type=bind', 'type=cache,target=/c,sharing=some', 'type=tmpfs,target=/t,size=x', 'type=secret', 'type=cache,target=/c,mode=rw']) assert.throws(() => parseMount(text, 'Dockerfile:1:1'), { code: 'Invalid', at: 'Dockerfile:1:1' }, text);
});

test('addresses of repositories and hosts', () => {
  assert.deepEqual(parseGitSource('https://host.example/a.git#v1:sub'), { url: 'https://host.example/a.git', reference: 'v1', folder: 'sub' });
  assert.deepEqual(parseGitSource('git@host.example:a/b'), { url: 'git@host.example:a/b', reference: undefined, folder: '' });
  assert.equal(parseGitSource('https://host.example/a.tar.gz'), undefined);
  assert.equal(hostLine('name:10.0.0.1'), '10.0.0.1\tname');
  assert.equal(hostLine('name=[::1]'), '::1\tname');
  for (const text of ['name', 'name:x', 'na me:10.0.0.1']) assert.throws(() => hostLine(text), { code: 'Invalid' });
});
