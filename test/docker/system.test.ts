import assert from 'node:assert/strict';
import test from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type CompareOptions, onBothEngines } from './support/two-engines.ts';

type Step = readonly [args: readonly string[], options?: CompareOptions];

const sizes = (text: string): string => text.replace(/\b[\d.]+ ?[kMG]?B\b( \(\d+%\))?/g, '<size>');
/** Mooring's own image counts with it, and its node's own network with a bridge. */
const withoutOwn = (text: string): string => text.replace(/^Images .*\n/gm, '');

test('the engine as a whole: versions, facts, disk, events, and what Mooring lacks', onBothEngines(async (engines) => {
  const steps: Step[] = [
    [['version', '-f', '{{.Client.APIVersion}} {{.Server.APIVersion}} {{.Server.Os}} {{.Server.Arch}} {{.Server.KernelVersion}} {{.Server.Experimental}}']],
    [['info', '-f', '{{.OSType}} {{.Architecture}} {{.NCPU}} {{.MemTotal}} {{.KernelVersion}} {{.OperatingSystem}} {{.Name}} {{.Driver}} {{.LoggingDriver}} {{.CgroupVersion}} {{.CgroupDriver}} {{.Containers}} {{.ContainersRunning}} {{.ContainersPaused}} {{.ContainersStopped}}']],
    [['info', '-f', '{{.MemoryLimit}} {{.SwapLimit}} {{.CPUShares}} {{.CPUSet}} {{.CPUCfsQuota}} {{.PidsLimit}} {{.OomKillDisable}} {{.IPv4Forwarding}} {{.Swarm.LocalNodeState}} {{.Isolation}} {{.ExperimentalBuild}} {{.IndexServerAddress}}']],
    [['run', '--name', 'one', '--label', 'x=y', 'busybox', 'sh', '-c', 'exit 3']],
    [['run', '-d', '--name', 'two', 'busybox', 'sleep', '1000']],
    [['info', '-f', '{{.Containers}} {{.ContainersRunning}} {{.ContainersPaused}} {{.ContainersStopped}}']],
    [['system', 'df', '--format', '{{.Type}} {{.TotalCount}} {{.Active}}'], { also: withoutOwn }],
    [['system', 'df', '-v', '--format', '{{json .Volumes}}'], { also: sizes, codeOnly: true }],
    [['events', '--since', '1h', '--until', '0s', '--filter', 'container=one', '--filter', 'event=create', '--filter', 'event=start', '--filter', 'event=die', '--format', '{{.Type}} {{.Action}} {{.Actor.Attributes.name}} {{.Actor.Attributes.image}} {{.Actor.Attributes.x}} {{.Actor.Attributes.exitCode}}']],
    [['events', '--since', '1h', '--until', '0s', '--filter', 'event=die', '--format', '{{.Type}} {{.Action}} {{.Actor.Attributes.name}} {{.Actor.Attributes.exitCode}}']],
    [['events', '--since', '1h', '--until', '0s', '--filter', 'label=x=y', '--filter', 'event=start', '--format', '{{.Action}} {{.Actor.Attributes.name}}']],
    [['kill', 'two']],
    [['wait', 'two']],
    [['rm', 'two']],
    [['events', '--since', '1h', '--until', '0s', '--filter', 'container=two', '--filter', 'type=container', '--filter', 'event=die', '--filter', 'event=destroy', '--format', '{{.Action}} {{.Actor.Attributes.exitCode}}']],
    [['tag', 'busybox', 'told:1']],
    [['rmi', 'told:1']],
    [['events', '--since', '1h', '--until', '0s', '--filter', 'type=image', '--filter', 'event=tag', '--format', '{{.Type}} {{.Action}} {{.Actor.Attributes.name}}']],
    [['events', '--since', '1h', '--until', '0s', '--filter', 'type=image', '--filter', 'event=untag', '--format', '{{.Type}} {{.Action}}']],
    [['volume', 'create', 'told']],
    [['volume', 'rm', 'told']],
    [['events', '--since', '1h', '--until', '0s', '--filter', 'type=volume', '--filter', 'volume=told', '--format', '{{.Type}} {{.Action}} {{.Actor.ID}} {{.Actor.Attributes.driver}}']],
    [['events', '--since', 'nonsense', '--until', '0s'], { codeOnly: true }],
    [['events', '--since', '1h', '--until', '0s', '--filter', 'event=nosuch', '--filter', 'nosuch=1']],
    [['node', 'ls'], { codeOnly: true }],
    [['service', 'ls'], { codeOnly: true }],
    [['secret', 'ls'], { codeOnly: true }],
    [['config', 'ls'], { codeOnly: true }],
    [['plugin', 'ls']],
    [['plugin', 'inspect', 'nosuch'], { codeOnly: true }],
    [['inspect', 'nosuch']],
    [['inspect', '--type', 'volume', 'nosuch']],
    [['inspect', '--type', 'network', 'nosuch']],
    [['rm', 'one']],
    [['system', 'prune', '-f'], { also: sizes }],
  ];
  for (const step of steps) {
    // The client asks for events up to a whole second: those of the present one are not among them.
    if (step[0][0] === 'events') await sleep(1000 - (Date.now() % 1000) + 50);
    await engines.same(...step);
  }

  // Debian's own command, of another age.
  const OLD = '/usr/bin/docker';
  if ((await engines.mooring.with({ command: OLD }, '--version')).stdout.startsWith('Docker version 20.')) {
    const old: Step[] = [
      [['run', '--rm', 'busybox', 'echo', 'hi']],
      [['run', '-i', '--rm', 'busybox', 'sh', '-c', 'cat; exit 7'], { input: 'typed' }],
      [['run', '-d', '--name', 'old', 'busybox', 'sleep', '1000']],
      [['exec', 'old', 'sh', '-c', 'echo in; exit 3']],
      [['ps', '--format', '{{.Names}} {{.State}}']],
      [['inspect', '-f', '{{.State.Status}} {{.HostConfig.NetworkMode}}', 'old']],
      [['inspect', 'nosuch']],
      [['cp', 'old:/bin/nosuch', '-']],
      [['rm', '-f', 'old']],
      [['build', '-q', '-t', 'old:1', '-'], { input: 'FROM busybox\nLABEL a=b\n', codeOnly: true }],
      [['images', '--format', '{{.Repository}}:{{.Tag}}', 'old']],
      [['rmi', 'old:1'], { codeOnly: true }],
    ];
    for (const [args, options] of old) await engines.same(args, { ...options, command: OLD });
  }

  for (const words of [['swarm', 'init'], ['plugin', 'install', '--grant-all-permissions', 'x/y']]) {
    const { code, stderr } = await engines.mooring.docker(...words);
    assert.equal(code, 1);
    assert.match(stderr, /Mooring (has no|runs)|swarm mode|no plugins/);
  }
}));
