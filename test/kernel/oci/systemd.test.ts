import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { it } from 'node:test';

import { until } from '../../support/until.ts';
import { Bundle } from './bundle.ts';
import { perform, succeed } from './command.ts';

const booted = existsSync('/run/systemd/system');

it('a container gets a scope of systemd’s, with its limits, which goes with it', { skip: booted ? false : 'systemd does not run this host' }, async (t) => {
  const bundle = await Bundle.create(t);
  const unit = `mooring-${bundle.cgroup}.scope`;
  bundle.config.linux.cgroupsPath = `mooring-test.slice:mooring:${bundle.cgroup}`;
  bundle.config.linux.resources = { memory: { limit: 64 << 20 }, pids: { limit: 40 }, cpu: { quota: 50000, period: 100000, shares: 1024 } };
  await bundle.write();
  const property = (name: string): Promise<string> => succeed('systemctl', ['show', '--value', '--property', name, unit]);
  await bundle.ask('--systemd-cgroup', 'run', '-d', 'c');
  const { pid } = await bundle.state('c');
  const path = `/mooring.slice/mooring-test.slice/${unit}`;
  assert.equal(await readFile(`/proc/${pid}/cgroup`, 'utf8'), `0::${path}\n`);
  assert.equal(await readFile(`/sys/fs/cgroup${path}/cgroup.procs`, 'utf8'), `${pid}\n`, 'and nobody else is in it');
  assert.deepEqual([await property('ActiveState'), await property('Delegate'), await property('MemoryMax'), await property('TasksMax')], ['active', 'yes', String(64 << 20), '40']);
  assert.equal(await property('CPUQuotaPerSecUSec'), '500ms');
  await bundle.ask('update', '--memory', String(32 << 20), 'c');
  assert.equal(await property('MemoryMax'), String(32 << 20));
  assert.equal(await readFile(`/sys/fs/cgroup${path}/memory.max`, 'utf8'), `${32 << 20}\n`);
  await succeed('systemctl', ['daemon-reload']);
  assert.equal(await readFile(`/sys/fs/cgroup${path}/memory.max`, 'utf8'), `${32 << 20}\n`, 'systemd knows of the limit');
  await bundle.ask('exec', 'c', 'true');
  await bundle.ask('delete', '--force', 'c');
  assert.ok(!existsSync(`/sys/fs/cgroup${path}`));
  await until('systemd has forgotten the scope', async () => (await perform('systemctl', ['status', unit])).code === 4);

  bundle.config.linux.cgroupsPath = '/path';
  await bundle.write();
  assert.match((await bundle.runtime(['--systemd-cgroup', 'run', 'c'])).stderr, /linux\.cgroupsPath: "\/path" must be slice:prefix:name where systemd has the cgroups/);
});

it('without systemd, or without its flag, a place of systemd’s is refused', { skip: booted ? 'systemd runs this host' : false }, async (t) => {
  const bundle = await Bundle.create(t);
  bundle.config.linux.cgroupsPath = 'system.slice:mooring:x';
  await bundle.write();
  assert.match((await bundle.runtime(['run', 'c'])).stderr, /linux\.cgroupsPath: "system\.slice:mooring:x" is a place of systemd's; give a path, or --systemd-cgroup/);
  assert.match((await bundle.runtime(['--systemd-cgroup', 'run', 'c'])).stderr, /cgroups by systemd: (systemd is not what runs this host|this host's controllers are on cgroup version 1); use the cgroupfs driver/);
  assert.deepEqual(await bundle.traces(), []);
});
