import assert from 'node:assert/strict';
import { hostname } from 'node:os';
import { describe, it } from 'node:test';

import { type BundleOptions, makeBundle, withLimitsOf } from '../../../src/engine/containers/bundle.ts';
import { capabilitiesIn } from '../../../src/engine/containers/capabilities.ts';
import { containerSchema } from '../../../src/spec/container.ts';

type Overrides = Record<string, unknown>;

function bundle(spec: Overrides = {}, options: Partial<BundleOptions> = {}) {
  const container = containerSchema.parse({
    apiVersion: 'mooring.dev/v1alpha1',
    kind: 'Container',
    metadata: { name: 'web' },
    spec: { image: 'mooring.local/busybox', ...spec },
  });
  return makeBundle({
    container,
    image: { name: 'mooring.local/busybox:latest', id: 'sha256:x', config: { Cmd: ['sh'], Env: ['PATH=/bin', 'LANG=C'] }, layers: ['/layers/top', '/layers/bottom'] },
    user: { uid: 0, gid: 0, additionalGids: [], home: '/root' },
    host: { nameFiles: ['/etc/hosts', '/etc/resolv.conf'], thermalThrottle: ['/sys/devices/system/cpu/cpu0/thermal_throttle'], capabilities: capabilitiesIn('1ffffffffff'), kernelRelease: '6.1.0-13-amd64', appArmor: false },
    cgroupPath: '/mooring-test/abc',
    upper: '/c/abc/upper',
    work: '/c/abc/work',
    networkPath: undefined,
    nameFiles: {},
    seccompCache: '/run/seccomp',
    ...options,
  });
}

describe('the bundle', () => {
  it('has the same text and hash for the same container, and another for another', () => {
    assert.equal(bundle().text, bundle().text);
    assert.equal(bundle().hash, bundle().hash);
    assert.notEqual(bundle().hash, bundle({ env: [{ name: 'A', value: '1' }] }).hash);
    assert.deepEqual(JSON.parse(bundle().text), bundle().config);
  });

  it('shuts a plain container in', () => {
    const { config } = bundle();
    assert.deepEqual(config.linux.namespaces.map(({ type }) => type).sort(), ['cgroup', 'ipc', 'mount', 'network', 'pid', 'uts']);
    assert.equal(config.process.noNewPrivileges, true);
    assert.equal(config.process.capabilities.bounding.length, 14);
    assert.deepEqual(config.process.capabilities.effective, config.process.capabilities.bounding);
    assert.deepEqual(config.process.capabilities.ambient, []);
    assert.deepEqual(config.process.capabilities.inheritable, []);
    assert.ok(config.linux.maskedPaths.includes('/proc/kcore'));
    assert.ok(config.linux.maskedPaths.includes('/sys/devices/system/cpu/cpu0/thermal_throttle'));
    assert.ok(config.linux.readonlyPaths.includes('/proc/sys'));
    assert.equal(config.linux.seccomp?.defaultAction, 'SCMP_ACT_ERRNO');
    assert.deepEqual(config.linux.resources.devices[0], { allow: false, access: 'rwm' });
    assert.equal(config.linux.cgroupsPath, '/mooring-test/abc');
    assert.deepEqual(config.mounts.find((mount) => mount.destination === '/sys')?.options.at(-1), 'ro');
  });

  it('lets a privileged container do as it likes', () => {
    const { config } = bundle({ privileged: true, capabilities: { drop: ['ALL'] } });
    assert.equal(config.process.capabilities.bounding.length, 41);
    assert.equal(config.process.noNewPrivileges, false);
    assert.equal(config.linux.seccomp, undefined);
    assert.deepEqual([config.linux.maskedPaths, config.linux.readonlyPaths], [[], []]);
    assert.deepEqual(config.linux.resources.devices, [{ allow: true, access: 'rwm' }]);
  });

  it('hands on what is asked for of limits, groups, kernel settings and names', () => {
    const { config, text } = bundle(
      {
        umask: '027',
        domainname: 'example',
        noNewPrivileges: false,
        oomScoreAdj: 300,
        shmSize: '1Mi',
        maskedPaths: [],
        readonlyPaths: ['/proc/sys/net'],
        sysctls: [{ name: 'net.core.somaxconn', value: '99' }],
        ulimits: [{ name: 'nofile', soft: 100, hard: 200 }, { name: 'core', soft: -1 }],
      },
      { user: { uid: 7, gid: 8, additionalGids: [20], home: '/' } },
    );
    assert.deepEqual(config.process.user, { uid: 7, gid: 8, additionalGids: [20], umask: 0o27 });
    assert.equal(config.domainname, 'example');
    assert.equal(config.process.noNewPrivileges, false);
    assert.equal(config.process.oomScoreAdj, 300);
    assert.ok(config.mounts.find(({ destination }) => destination === '/dev/shm')?.options.includes('size=1048576'));
    assert.deepEqual([config.linux.maskedPaths, config.linux.readonlyPaths], [[], ['/proc/sys/net']]);
    assert.deepEqual(config.linux.sysctl, { 'net.core.somaxconn': '99' });
    assert.ok(text.includes('"rlimits":[{"type":"RLIMIT_NOFILE","soft":100,"hard":200},{"type":"RLIMIT_CORE","soft":18446744073709551615,"hard":18446744073709551615}]'));
  });

  it('has other limits written into it with nothing else changed', () => {
    const { text } = bundle({ ulimits: [{ name: 'core', soft: -1 }], resources: { memory: '64Mi', cpu: 1 } });
    const limited = bundle({ ulimits: [{ name: 'core', soft: -1 }], resources: { memory: '32Mi', memorySwap: '32Mi', cpuShares: 2, blockIO: { throttleReadIOPSDevice: [{ path: '/dev/a', rate: 9 }] } } }, { blockDevices: new Map([['/dev/a', { major: 8, minor: 0 }]]) });
    assert.deepEqual(limited.config.linux.resources.blockIO, { throttleReadIOPSDevice: [{ major: 8, minor: 0, rate: 9 }] });
    const container = containerSchema.parse({ apiVersion: 'mooring.dev/v1alpha1', kind: 'Container', metadata: { name: 'web' }, spec: { image: 'i', resources: { memory: '32Mi', memorySwap: '32Mi', cpuShares: 2, blockIO: { throttleReadIOPSDevice: [{ path: '/dev/a', rate: 9 }] } } } });
    assert.equal(withLimitsOf(text, container, new Map([['/dev/a', { major: 8, minor: 0 }]])), limited.text);
  });

  it('is called as it says, after itself, after its ID or as the node is', () => {
    const names = (spec: Overrides) => {
      const { config } = bundle(spec, { cgroupPath: `/mooring-test/${'0123456789abcdef'.repeat(4)}` });
      return [config.hostname, config.process.env.find((entry) => entry.startsWith('HOSTNAME='))?.slice(9)];
    };
    assert.deepEqual(names({ hostname: 'My_Host.example', hostnameFrom: 'ID' }), ['My_Host.example', 'My_Host.example']);
    assert.deepEqual(names({}), ['web', 'web']);
    assert.deepEqual(names({ hostnameFrom: 'ID' }), ['0123456789ab', '0123456789ab']);
    assert.deepEqual(names({ namespaces: { uts: 'Host' } }), [undefined, hostname()]);
  });

  it('joins and leaves out namespaces', () => {
    const types = (namespaces: Overrides, options: Partial<BundleOptions> = {}) => bundle({ namespaces }, options).config.linux.namespaces.map(({ type, path }) => (path === undefined ? type : `${type}=${path}`));
    assert.deepEqual(types({ pid: 'Host', ipc: 'Host', uts: 'Host', cgroup: 'Host' }), ['mount', 'network']);
    assert.deepEqual(types({ pid: 'Container:a', ipc: 'Container:a' }, { joined: { pid: '/ns/pid', ipc: '/ns/ipc', shm: '/ns/shm' } }), ['pid=/ns/pid', 'mount', 'ipc=/ns/ipc', 'uts', 'cgroup', 'network']);
    const shm = (ipc: string, joined = {}) => bundle({ namespaces: { ipc } }, { joined }).config.mounts.find(({ destination }) => destination === '/dev/shm');
    assert.equal(shm('None'), undefined);
    assert.deepEqual([shm('Host')?.type, shm('Host')?.source], ['bind', '/dev/shm']);
    assert.deepEqual([shm('Shareable', { shm: '/dev/shm/x' })?.type, shm('Shareable', { shm: '/dev/shm/x' })?.source], ['bind', '/dev/shm/x']);
  });

  it('takes another seccomp profile, or none', () => {
    const own = '{"defaultAction":"SCMP_ACT_ALLOW"}';
    assert.equal(bundle({ seccompProfile: { type: 'Unconfined' } }).config.linux.seccomp, undefined);
    assert.equal(bundle({ seccompProfile: { type: 'Inline', inlineProfile: own } }).config.linux.seccomp?.defaultAction, 'SCMP_ACT_ALLOW');
    const given = { privileged: true, seccompProfile: { type: 'Localhost', localhostProfile: '/p.json' } };
    assert.equal(bundle(given, { seccompText: own }).config.linux.seccomp?.defaultAction, 'SCMP_ACT_ALLOW');
    assert.throws(() => bundle(given, { seccompText: '[]' }), /^MooringError: seccomp profile \/p\.json is no seccomp profile/);
  });

  it('asks for an AppArmor profile, but not for none where there is none', () => {
    assert.equal(bundle({ appArmorProfile: 'web' }).config.process.apparmorProfile, 'web');
    assert.equal(bundle({ appArmorProfile: 'unconfined' }).config.process.apparmorProfile, undefined);
  });

  it('names the overlay to the runtime, top layer first', () => {
    assert.deepEqual(JSON.parse(bundle().config.annotations['dev.mooring.rootfs.overlay']), {
      lower: ['/layers/top', '/layers/bottom'],
      upper: '/c/abc/upper',
      work: '/c/abc/work',
    });
    assert.equal(bundle().config.root.readonly, false);
    assert.equal(bundle({ readOnlyRootFilesystem: true }).config.root.readonly, true);
  });

  it('chooses what to run by the rules of Kubernetes', () => {
    const image = { name: 'i', id: 'sha256:x', layers: [], config: { Entrypoint: ['/entry'], Cmd: ['cmd'] } };
    const args = (spec: Overrides) => bundle(spec, { image }).config.process.args;
    assert.deepEqual(args({}), ['/entry', 'cmd']);
    assert.deepEqual(args({ command: ['/own'] }), ['/own']);
    assert.deepEqual(args({ args: ['own'] }), ['/entry', 'own']);
    assert.deepEqual(args({ command: ['/own'], args: ['a', '$(A)'], env: [{ name: 'A', value: 'x' }] }), ['/own', 'a', '$(A)']);
    assert.deepEqual(args({ command: [], args: [] }), ['/entry', 'cmd']);
    assert.throws(() => bundle({}, { image: { ...image, config: { Entrypoint: null, Cmd: null } } }), { code: 'Invalid', message: /neither Entrypoint nor Cmd/ });
  });

  it("lays the container's environment over the image's", () => {
    const { env } = bundle({ env: [{ name: 'LANG', value: 'de' }, { name: 'EMPTY' }] }).config.process;
    assert.deepEqual([...env].sort(), ['EMPTY=', 'HOME=/root', 'HOSTNAME=web', 'LANG=de', 'PATH=/bin']);
    assert.ok(bundle({ tty: true }).config.process.env.includes('TERM=xterm'));
  });

  it('gives the process a working directory and a host name that the kernel takes', () => {
    assert.equal(bundle().config.process.cwd, '/');
    assert.equal(bundle({ workingDir: '/srv' }).config.process.cwd, '/srv');
    assert.equal(bundle().config.hostname, 'web');
    assert.equal(bundle({ hostname: 'other' }).config.hostname, 'other');
    const long = containerSchema.parse({
      apiVersion: 'mooring.dev/v1alpha1',
      kind: 'Container',
      metadata: { name: `${'a'.repeat(62)}.b` },
      spec: { image: 'i' },
    });
    assert.equal(bundle({}, { container: long }).config.hostname, 'a'.repeat(62));
  });

  it('shares the host network with the files that name hosts, read-only', () => {
    const { config } = bundle({ network: { mode: 'Host' } });
    assert.ok(!config.linux.namespaces.some(({ type }) => type === 'network'));
    const names = config.mounts.filter((mount) => mount.destination.startsWith('/etc/'));
    assert.deepEqual(names.map((mount) => mount.destination), ['/etc/hosts', '/etc/resolv.conf']);
    assert.ok(names.every((mount) => mount.options.includes('ro')));
    assert.ok(!bundle().config.mounts.some((mount) => mount.destination.startsWith('/etc/')));
  });

  it('makes its own mounts last, parents before children, and instead of a default on the same place', () => {
    const { mounts } = bundle({
      network: { mode: 'Host' },
      mounts: [
        { mountPath: '/data/cache', tmpfs: { size: '64Mi' } },
        { mountPath: '/data', bind: { source: '/srv' }, readOnly: true },
        { mountPath: '/dev/shm', tmpfs: {} },
        { mountPath: '/etc/hosts', bind: { source: '/my/hosts' } },
      ],
    }).config;
    const destinations = mounts.map((mount) => mount.destination);
    assert.equal(new Set(destinations).size, destinations.length);
    assert.ok(destinations.indexOf('/data') < destinations.indexOf('/data/cache'));
    const find = (destination: string) => mounts.find((mount) => mount.destination === destination);
    assert.deepEqual(find('/data'), { destination: '/data', type: 'bind', source: '/srv', options: ['rbind', 'rprivate', 'rro'] });
    assert.ok(find('/data/cache')?.options.includes('size=67108864'));
    assert.equal(find('/dev/shm')?.source, 'tmpfs');
    assert.equal(find('/etc/hosts')?.source, '/my/hosts');
  });

  it('states limits in the units of the kernel', () => {
    const { resources } = bundle({ resources: { cpu: '500m', memory: '64Mi', pids: 20 } }).config.linux;
    assert.deepEqual([resources.cpu, resources.memory, resources.pids], [{ quota: 50_000, period: 100_000 }, { limit: 67_108_864 }, { limit: 20 }]);
    assert.deepEqual(bundle({ resources: { cpu: '1m' } }).config.linux.resources.cpu, { quota: 1_000, period: 100_000 });
    assert.deepEqual(Object.keys(bundle().config.linux.resources), ['devices']);
  });
});
