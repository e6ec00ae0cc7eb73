import assert from 'node:assert/strict';
import { test } from 'node:test';
import { buildProgram } from '../../../src/cli/program.ts';
import { parserWords } from '../../../src/cli/words.ts';
import { fakeIo } from './fake-io.ts';

const program = buildProgram({ io: fakeIo(), finish: () => undefined });
const words = (line: string): string => parserWords(line.split(' '), program).join(' ');

test("flags behind the image or the container are the program's", () => {
  assert.equal(words('run -it --name web busybox ls -l'), 'run -it --name web -- busybox ls -l');
  assert.equal(words('run -p 80:80 -eA=b --name=web busybox'), 'run -p 80:80 -eA=b --name=web -- busybox');
  assert.equal(words('run -itp 80 busybox -p 90'), 'run -itp 80 -- busybox -p 90');
  assert.equal(words('exec -u root web curl -H x'), 'exec -u root -- web curl -H x');
  assert.equal(words('-H /x exec web ls -H'), '-H /x exec -- web ls -H');
});

test('dashes before the program may be written, as ever', () => {
  assert.equal(words('exec web -- ls -l'), 'exec -- web ls -l');
  assert.equal(words('exec -it -- web ls -l'), 'exec -it -- web ls -l');
});

test('switches may have a value', () => {
  assert.equal(words('run --rm=true --init=1 --read-only=false busybox --rm=true'), 'run --rm --init -- busybox --rm=true');
  assert.equal(words('attach --sig-proxy=false web'), 'attach --no-sig-proxy web');
  assert.equal(words('commit --pause=false web a:1'), 'commit --no-pause web a:1');
  assert.equal(words('commit --pause=true web a:1'), 'commit web a:1');
  assert.equal(words('attach --sig-proxy=maybe web'), 'attach --sig-proxy=maybe web');
});

test('of other commands flags may stand anywhere', () => {
  assert.equal(words('logs web -f --tail 5'), 'logs web -f --tail 5');
  assert.equal(words('rm web -f'), 'rm web -f');
  assert.equal(words('run --unknown x busybox'), 'run --unknown -- x busybox');
});
