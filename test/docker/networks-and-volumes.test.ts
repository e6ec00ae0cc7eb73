import assert from 'node:assert/strict';
import test from 'node:test';
import { until } from '../support/until.ts';
import { type CompareOptions, type Engine, onBothEngines, type TwoEngines } from './support/two-engines.ts';

type Step = readonly [args: readonly string[], options?: CompareOptions];

/** The test's dockerd has no bridge of its own, so that the host's networking is left alone. */
const withoutBridge = (text: string): string => text.replace(/^(<short id> )?bridge\b.*\n/gm, '');
const networks = (...args: string[]): Step => [['network', 'ls', '--format', '{{.Name}} {{.Driver}} {{.Scope}}', ...args], { also: withoutBridge, anyOrder: true }];
const volumes = (...args: string[]): Step => [['volume', 'ls', '--format', '{{.Name}} {{.Driver}} {{.Scope}}', ...args], { anyOrder: true }];
const inspected = (format: string, ...names: string[]): Step => [['network', 'inspect', '-f', format, ...names]];

test('networks and volumes, as dockerd has them', onBothEngines(async (engines) => {
  const steps: Step[] = [
    networks(),
    [['network', 'create', 'net1']],
    [['network', 'create', 'net1']],
    [['network', 'create', '--label', 'a=b', '--label', 'c=d e', '--internal', '--attachable', 'Net_2']],
    [['network', 'create', '--subnet', '10.{octet}.0.0/24', '--gateway', '10.{octet}.0.9', '--ip-range', '10.{octet}.0.128/25', '--opt', 'com.docker.network.driver.mtu=1400', 'net3']],
    [['network', 'create', '--subnet', '10.{octet}.0.0/25', 'overlapping'], { codeOnly: true }],
    [['network', 'create', '--subnet', 'nonsense', 'bad'], { codeOnly: true }],
    [['network', 'create', '-d', 'nosuch', 'bad']],
    [['network', 'create', '-d', 'host', 'bad']],
    [['network', 'create', '-d', 'overlay', 'bad'], { codeOnly: true }],
    [['network', 'create', 'host']],
    networks(),
    networks('--filter', 'name=net'),
    networks('--filter', 'name=^net1$'),
    networks('--filter', 'label=a'),
    networks('--filter', 'label=a=b'),
    networks('--filter', 'label=a=x'),
    networks('--filter', 'driver=bridge', '--filter', 'type=custom'),
    networks('--filter', 'driver=null'),
    networks('--filter', 'type=builtin'),
    networks('--filter', 'scope=local'),
    networks('--filter', 'scope=swarm'),
    networks('--filter', 'dangling=true'),
    networks('--filter', 'type=odd'),
    networks('--filter', 'nosuch=1'),
    inspected('{{.Name}} {{.Driver}} {{.Scope}} {{.Internal}} {{.Attachable}} {{.Ingress}} {{.EnableIPv6}} {{json .Labels}} {{json .Options}} {{.ConfigOnly}} {{json .Containers}}', 'net1'),
    inspected('{{.Internal}} {{.Attachable}} {{json .Labels}}', 'Net_2'),
    inspected('{{json .IPAM}} {{json .Options}}', 'net3'),
    inspected('{{.Name}} {{.Driver}} {{json .Options}} {{json .IPAM.Config}}', 'host', 'none'),
    inspected('{{.Name}}', 'nosuch'),
    [['run', '-d', '--name', 'on', '--network', 'net3', '--ip', '10.{octet}.0.200', '--network-alias', 'other', 'busybox', 'sleep', '1000']],
    inspected('{{range .Containers}}{{.Name}} {{.IPv4Address}} {{.IPv6Address}}{{end}}', 'net3'),
    [['inspect', '-f', '{{range $name, $at := .NetworkSettings.Networks}}{{$name}} {{$at.IPAddress}} {{$at.IPPrefixLen}} {{$at.Gateway}} {{json $at.IPAMConfig}}{{end}}', 'on']],
    [['exec', 'on', 'sh', '-c', 'cat /sys/class/net/eth0/mtu']],
    [['network', 'rm', 'net3'], { codeOnly: true }],
    [['network', 'connect', 'net1', 'on']],
    [['network', 'connect', 'net1', 'on'], { codeOnly: true }],
    [['network', 'connect', '--alias', 'second', 'Net_2', 'on']],
    [['inspect', '-f', '{{range $name, $at := .NetworkSettings.Networks}}{{$name}} {{end}}', 'on']],
    [['network', 'disconnect', 'Net_2', 'on']],
    [['network', 'disconnect', 'Net_2', 'on'], { codeOnly: true }],
    [['network', 'disconnect', 'net1', 'on']],
    [['network', 'disconnect', 'net3', 'on']],
    [['inspect', '-f', '{{json .NetworkSettings.Networks}}', 'on']],
    [['network', 'connect', 'net1', 'on']],
    [['inspect', '-f', '{{range $name, $at := .NetworkSettings.Networks}}{{$name}} {{end}}', 'on']],
    [['run', '-d', '--name', 'two', '--network', 'net1', 'busybox', 'sleep', '1000']],
    [['network', 'connect', '--ip', '10.{octet}.0.200', 'net3', 'on']],
    [['network', 'connect', '--ip', '10.{octet}.0.200', 'net3', 'two'], { codeOnly: true }],
    [['rm', '-f', 'two']],
    [['network', 'disconnect', 'net3', 'on']],
    [['network', 'connect', 'nosuch', 'on']],
    [['network', 'connect', 'net1', 'nosuch']],
    [['network', 'connect', 'host', 'on'], { codeOnly: true }],
    // One that only containers are on which do not run.
    [['network', 'create', 'passing']],
    [['create', '--name', 'still', '--network', 'passing', 'busybox', 'true']],
    [['network', 'rm', 'passing']],
    [['start', 'still'], { codeOnly: true }],
    [['network', 'connect', 'net1', 'still']],
    [['rm', 'still']],
    // One that was taken off its last network, and goes by itself.
    [['run', '-d', '--rm', '--name', 'brief', '--network', 'net1', 'busybox', 'sleep', '1000']],
    [['network', 'disconnect', 'net1', 'brief']],
    [['kill', 'brief']],
    [['network', 'prune', '-f'], { anyOrder: true }],
    networks(),
    [['rm', '-f', 'on']],
    [['network', 'rm', 'net1']],
    [['network', 'rm', 'net1'], { codeOnly: true }],
    [['network', 'rm', 'host'], { codeOnly: true }],
    [['network', 'prune', '-f', '--filter', 'label=nosuch']],
    networks(),

    volumes(),
    [['volume', 'create', 'vol1']],
    [['volume', 'create', 'vol1']],
    [['volume', 'create', '--label', 'a=b', '--label', 'long=a text with spaces', 'Vol_2']],
    [['volume', 'create', '-o', 'type=tmpfs', '-o', 'device=tmpfs', '-o', 'o=size=1m', 'memory']],
    [['volume', 'create'], { codeOnly: true }],
    [['volume', 'create', '-d', 'nosuch', 'bad'], { codeOnly: true }],
    [['volume', 'create', '-o', 'nosuch=1', 'bad']],
    [['volume', 'create', 'x']],
    [['volume', 'create', 'not/a/name']],
    volumes('--filter', 'name=vol1'),
    volumes('--filter', 'name=Vol'),
    volumes('--filter', 'label=a'),
    volumes('--filter', 'label=a=b'),
    volumes('--filter', 'label=a=c'),
    volumes('--filter', 'driver=local', '--filter', 'name=o'),
    volumes('--filter', 'driver=nosuch'),
    volumes('--filter', 'nosuch=1'),
    [['volume', 'inspect', '-f', '{{.Name}} {{.Driver}} {{.Scope}} {{json .Labels}} {{json .Options}}', 'vol1', 'Vol_2', 'memory']],
    [['volume', 'inspect', 'nosuch']],
    [['run', '--name', 'writer', '-v', 'vol1:/data', '-v', 'born:/born', 'busybox', 'sh', '-c', 'echo kept > /data/f']],
    [['run', '--rm', '-v', 'vol1:/elsewhere:ro', 'busybox', 'sh', '-c', 'cat /elsewhere/f; echo x > /elsewhere/g']],
    [['run', '--rm', '-v', 'memory:/m', 'busybox', 'sh', '-c', 'df -k /m | tail -1 | cut -c1-6']],
    volumes('--filter', 'dangling=true', '--filter', 'name=o'),
    volumes('--filter', 'dangling=false', '--filter', 'name=o'),
    [['volume', 'rm', 'vol1']],
    [['volume', 'rm', 'nosuch']],
    [['volume', 'rm', '-f', 'nosuch']],
    [['rm', 'writer']],
    [['run', '--rm', '-v', 'vol1:/data', 'busybox', 'cat', '/data/f']],
    [['volume', 'rm', 'vol1', 'born']],
    [['volume', 'prune', '-f', '--filter', 'label=nosuch']],
    [['volume', 'prune', '-f'], { anyOrder: true, also: (text) => text.replace(/[\d.]+[kM]?B$/m, '<size>') }],
    volumes(),
  ];
  for (const step of steps) await engines.same(...step);
  await until('nothing is left of what stood for no network', async () => !(await engines.node.mooring('network', 'ls', '-A')).stdout.includes('detached-'));
  await severalPorts(engines.mooring);
  await listed(engines);
}));

/** One port of a container on several of the node; the test's dockerd has none to publish them. */
async function severalPorts({ docker }: Engine): Promise<void> {
  const script = 'mkdir /www; echo hello > /www/index.html; exec httpd -f -p 80 -h /www';
  assert.equal((await docker('run', '-d', '--name', 'page', '-p', '80', '-p', '127.0.0.1::80', 'mooring.local/busybox:latest', 'sh', '-c', script)).code, 0);
  const ports = JSON.parse((await docker('inspect', '-f', '{{json .NetworkSettings.Ports}}', 'page')).stdout) as Record<string, { readonly HostIp: string; readonly HostPort: string }[]>;
  const [first, second] = new Set(ports['80/tcp']?.map(({ HostPort }) => HostPort));
  assert.deepEqual(ports, { '80/tcp': [{ HostIp: '0.0.0.0', HostPort: first }, { HostIp: '::', HostPort: first }, { HostIp: '127.0.0.1', HostPort: second }] });
  for (const port of [first, second]) assert.equal(await until(`port ${port} leads to it`, async () => (await fetch(`http://127.0.0.1:${port}/`)).text()), 'hello\n');
  assert.equal((await docker('port', 'page', '80')).stdout, `0.0.0.0:${first}\n127.0.0.1:${second}\n[::]:${first}\n`);
  assert.equal((await docker('rm', '-f', 'page')).code, 0);
}

/** Mooring's own command lists them by the same flags. */
async function listed({ mooring, node }: TwoEngines): Promise<void> {
  assert.equal((await mooring.docker('network', 'create', '--label', 'team=x', 'own')).code, 0);
  assert.equal((await mooring.docker('volume', 'create', '--label', 'team=x', 'own')).code, 0);
  for (const [kind, format] of [['network', '{{.Name}} {{.Driver}} {{.Scope}} {{.Internal}} {{.Labels}} {{.Label "team"}}'], ['volume', '{{.Name}} {{.Driver}} {{.Scope}} {{.Mountpoint}} {{.Labels}}']] as const) {
    for (const args of [['--filter', 'label=team'], ['--filter', 'name=own', '--format', format], ['--filter', 'label=team', '--format', 'table {{.Name}}\t{{.Driver}}'], ['--filter', 'label=team=y']]) {
      const own = await node.mooring(kind, 'ls', ...args);
      assert.deepEqual([own.code, own.stdout], [0, (await mooring.docker(kind, 'ls', ...args)).stdout], `${kind} ls ${args.join(' ')}`);
    }
    assert.equal((await node.mooring(kind, 'ls', '-q', '--filter', 'label=team')).stdout, 'own\n');
    assert.equal((await mooring.docker(kind, 'rm', 'own')).code, 0);
  }
}
