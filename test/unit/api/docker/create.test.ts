import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { containerOf, type Creation, NAME_ANNOTATION, REQUEST_ANNOTATION } from '../../../../src/api/docker/create/container-of.ts';
import { createBodySchema } from '../../../../src/api/docker/create/create-body.ts';
import type { CreateContext } from '../../../../src/api/docker/create/create-context.ts';
import type { ImageRuntimeConfig } from '../../../../src/engine/images/oci-image.ts';
import { containerSpecSchema } from '../../../../src/spec/container.ts';
import { mountSchema } from '../../../../src/spec/mount.ts';

interface Recorded {
  readonly client: string;
  readonly case: string;
  readonly arguments: readonly string[];
  /** What differs from the case `plain` of the same client, which is whole. */
  readonly body: Readonly<Record<string, unknown>>;
}

/** What `docker create` of both clients sent for these arguments. */
const RECORDED = JSON.parse(readFileSync(join(import.meta.dirname, 'create-bodies.json'), 'utf8')) as readonly Recorded[];
const CLIENTS = ['docker 20.10', 'docker 28'];

function bodyOf(client: string, name: string): Record<string, unknown> {
  const [plain, wanted] = ['plain', name].map((each) => RECORDED.find((one) => one.client === client && one.case === each)?.body);
  assert.ok(plain && wanted, `${client} ${name}`);
  return { ...plain, ...wanted, HostConfig: { ...(plain['HostConfig'] as object), ...(wanted['HostConfig'] as object | undefined) } };
}

const IMAGE: ImageRuntimeConfig = { Cmd: ['sh'], Env: ['PATH=/bin'], ExposedPorts: { '80/tcp': {} }, StopSignal: 'SIGINT' };

function context(changes: Partial<CreateContext> = {}, image: ImageRuntimeConfig = IMAGE): CreateContext {
  let port = 40_000;
  const others: Record<string, ReturnType<CreateContext['container']>> = {
    other: { name: 'other', mounts: [mountSchema.parse({ mountPath: '/data', volume: { name: 'data' } }), mountSchema.parse({ mountPath: '/run', tmpfs: {} })] },
    db: { name: 'db-1', mounts: [mountSchema.parse({ mountPath: '/etc/db', bind: { source: '/srv/db' } })] },
    own: { name: 'own', mounts: [mountSchema.parse({ mountPath: '/cache', volume: {} })] },
  };
  return {
    names: { docker: 'C_1', resource: 'c-1-abcd' },
    image: { reference: 'docker.io/library/busybox:latest', config: image },
    network: (reference) => (reference === 'net1' || reference === 'net1-id' ? 'net1-resource' : undefined),
    container: (reference) => others[reference],
    volume: (name) => name.toLowerCase().replaceAll('_', '-'),
    newVolumeName: () => 'f'.repeat(64),
    freePort: ({ first }) => (first === 32_768 ? port++ : first + 1),
    hostGateway: '10.88.0.1',
    swapAccounting: true,
    cgroupVersion: 1,
    ...changes,
  };
}

const create = (body: object, changes?: Partial<CreateContext>, image?: ImageRuntimeConfig): Creation => containerOf(createBodySchema.parse({ Image: 'busybox', ...body }), context(changes, image));
const specOf = (body: object, changes?: Partial<CreateContext>, image?: ImageRuntimeConfig) => create(body, changes, image).container.spec;
const refused = (body: object, message: string | RegExp, code = 'Invalid') => assert.throws(() => create(body), { code, message });
const refusedHost = (host: object, message: string | RegExp, code?: string) => refused({ HostConfig: host }, message, code);

describe('what docker create asks for', () => {
  it('is as every client says it', () => {
    for (const { client, case: name } of RECORDED) {
      if (name === 'gpus') assert.throws(() => create(bodyOf(client, name)), { code: 'Invalid', message: 'could not select device driver "" with capabilities: [["gpu"]]' }, client);
      else assert.equal(create(bodyOf(client, name)).container.kind, 'Container', `${client} ${name}`);
    }
  });

  for (const client of CLIENTS) {
    const spec = (name: string) => specOf(bodyOf(client, name));

    it(`${client}: nothing but an image`, () => {
      const { container, volumes, warnings } = create(bodyOf(client, 'plain'));
      const { HostConfig, ...request } = JSON.parse(container.metadata.annotations[REQUEST_ANNOTATION] ?? '') as Record<string, unknown>;
      assert.deepEqual([container.metadata.name, container.metadata.annotations[NAME_ANNOTATION], volumes, warnings, request['Image'], typeof HostConfig], ['c-1-abcd', 'C_1', [], [], 'busybox', 'object']);
      const asked = {
        hostnameFrom: 'ID',
        image: 'docker.io/library/busybox:latest',
        imagePullPolicy: 'Never',
        network: { mode: 'Bridge', networks: [{ name: 'default', aliases: ['C_1'] }] },
        noNewPrivileges: false,
        restartPolicy: 'Never',
        stopSignal: 'SIGINT',
        suspend: true,
      };
      assert.deepEqual(container.spec, containerSpecSchema.parse(asked));
    });

    it(`${client}: everyday options`, () => {
      const { container, volumes } = create(bodyOf(client, 'everyday'));
      assert.deepEqual(container.metadata.labels, { x: 'y' });
      assert.deepEqual(volumes, [{ dockerName: 'vol1', name: 'vol1', options: {}, labels: {}, anonymous: false }]);
      const { command, args, env, ports, resources, restartPolicy, user, workingDir } = container.spec;
      assert.deepEqual([command, args, user, workingDir, restartPolicy], [['/bin/sh'], ['-c', 'true'], '1000:1000', '/srv', 'Always']);
      assert.deepEqual(env, [{ name: 'FROM_FILE', value: '1' }, { name: 'A', value: 'b' }]);
      assert.deepEqual(resources, { cpu: '500m', memory: 67_108_864, memorySwap: 134_217_728 });
      assert.deepEqual(ports.map(({ containerPort, protocol, hostIP, hostPort }) => [containerPort, protocol, hostIP, hostPort]), [[80, 'TCP', undefined, 8080], [53, 'UDP', '127.0.0.1', 5353]]);
      assert.deepEqual(container.spec.mounts.map(({ mountPath, readOnly, bind, volume }) => [mountPath, readOnly, bind?.source ?? volume?.name]), [['/data', false, 'vol1'], ['/host', true, '/tmp']]);
    });

    it(`${client}: security`, () => {
      const { capabilities, readOnlyRootFilesystem, noNewPrivileges, seccompProfile, appArmorProfile, supplementalGroups, mounts } = spec('hardened');
      assert.deepEqual([capabilities, readOnlyRootFilesystem, noNewPrivileges, appArmorProfile, supplementalGroups], [{ add: ['CAP_NET_ADMIN'], drop: ['ALL'] }, true, true, 'unconfined', ['audio', '20']]);
      assert.deepEqual([seccompProfile.type, JSON.parse(seccompProfile.inlineProfile ?? '')], ['Inline', { defaultAction: 'SCMP_ACT_ALLOW', syscalls: [{ names: ['mkdir'], action: 'SCMP_ACT_ERRNO' }] }]);
      assert.deepEqual(mounts.map(({ mountPath, tmpfs }) => [mountPath, tmpfs?.size, tmpfs?.mode, tmpfs?.options]), [['/run', '1Mi', '755', ['exec']], ['/tmp', undefined, '1777', ['noexec']]]);
      const open = spec('unconfined');
      assert.deepEqual([open.privileged, open.seccompProfile, open.maskedPaths, open.readonlyPaths], [true, { type: 'Unconfined' }, [], []]);
    });

    it(`${client}: limits`, () => {
      const { resources, oomScoreAdj, shmSize, ulimits } = spec('limits');
      const device = (rate: number) => [{ path: '/dev/sda', rate }];
      assert.deepEqual(resources, {
        cpu: '500m',
        cpuPeriod: 50_000,
        cpuShares: 512,
        cpusetCpus: '0',
        cpusetMems: '0',
        memory: 67_108_864,
        memoryReservation: 33_554_432,
        memorySwap: 134_217_728,
        memorySwappiness: 10,
        oomKillDisable: true,
        pids: 10,
        blockIO: { weight: 300, weightDevice: [{ path: '/dev/sda', weight: 200 }], throttleReadBpsDevice: device(1_048_576), throttleWriteBpsDevice: device(2_097_152), throttleReadIOPSDevice: device(100), throttleWriteIOPSDevice: device(200) },
      });
      assert.deepEqual([oomScoreAdj, shmSize, ulimits], [500, 134_217_728, [{ name: 'core', soft: -1, hard: -1 }, { name: 'nofile', soft: 1024, hard: 2048 }]]);
    });

    it(`${client}: namespaces, devices and kernel settings`, () => {
      const { namespaces, devices, deviceCgroupRules, sysctls } = spec('kernel');
      assert.deepEqual(namespaces, { pid: 'Host', ipc: 'Host', uts: 'Host', cgroup: 'Host' });
      assert.deepEqual(devices, [{ path: '/dev/fuse', permissions: 'rwm' }, { path: '/dev/null', containerPath: '/dev/nothing', permissions: 'r' }]);
      assert.deepEqual([deviceCgroupRules, sysctls], [['c 189:* rmw'], [{ name: 'net.core.somaxconn', value: '1024' }]]);
    });

    it(`${client}: what is shared with other containers`, () => {
      const { namespaces, network, mounts } = spec('joined');
      assert.deepEqual([namespaces.pid, namespaces.ipc, network.mode, network.container], ['Container:other', 'Container:other', 'Container', 'other']);
      assert.deepEqual(mounts.map(({ mountPath, readOnly, bind, volume }) => [mountPath, readOnly, bind?.source ?? volume?.name]), [['/data', true, 'data'], ['/etc/db', false, '/srv/db']]);
    });

    it(`${client}: networks`, () => {
      const { network, ports } = spec('network');
      const mac = client === 'docker 28' ? {} : { macAddress: '02:42:ac:11:00:05' };
      assert.deepEqual(network.networks, [{ name: 'net1-resource', aliases: ['C_1', 'web', 'www'], ipv4Address: '172.30.0.5', ipv6Address: 'fd00::5', ...mac }]);
      assert.deepEqual(network.links, [{ container: 'other', alias: 'db' }]);
      assert.deepEqual(network.dns, { servers: ['1.1.1.1'], searches: ['example.com'], options: ['ndots:2'] });
      assert.deepEqual(network.extraHosts, [{ ip: '1.2.3.4', hostnames: ['h'] }, { ip: '10.88.0.1', hostnames: ['gw'] }]);
      assert.deepEqual(ports.map(({ containerPort, hostPort }) => [containerPort, hostPort]), [[80, 40_001], [9000, 40_000]]);
      assert.deepEqual(spec('default_link').network.networks.map(({ name }) => name), ['default']);
      const host = create(bodyOf(client, 'host'));
      assert.deepEqual([host.container.spec.network.mode, host.container.spec.ports, host.warnings], ['Host', [], ['Published ports are discarded when using host network mode']]);
      assert.equal(spec('none').network.mode, 'None');
    });

    it(`${client}: ranges of ports`, () => {
      const ports = spec('ranges').ports.map(({ containerPort, endPort, hostPort }) => [containerPort, endPort, hostPort]);
      assert.deepEqual(ports, [[70, undefined, 7001], [8000, 8003, 8000], [9000, undefined, 40_000]]);
    });

    it(`${client}: one port of the container on several of the node`, () => {
      const PortBindings = { '80/tcp': [{ HostIp: '', HostPort: '80' }, { HostIp: '', HostPort: '8080' }, { HostIp: '0.0.0.0', HostPort: '80' }], '81/tcp': [{ HostIp: '', HostPort: '81' }, { HostIp: '127.0.0.1', HostPort: '8081' }] };
      const body = bodyOf(client, 'plain');
      const { container } = create({ ...body, HostConfig: { ...(body['HostConfig'] as object), PortBindings } });
      assert.deepEqual(
        container.spec.ports.map(({ containerPort, endPort, hostIP, hostPort }) => [containerPort, endPort, hostIP, hostPort]),
        [[80, 81, undefined, 80], [80, undefined, undefined, 8080], [81, undefined, '127.0.0.1', 8081]],
      );
    });

    it(`${client}: mounts of every type`, () => {
      const { container, volumes } = create(bodyOf(client, 'mounts'));
      const mounts = new Map(container.spec.mounts.map((mount) => [mount.mountPath, mount]));
      assert.deepEqual(mounts.get('/a')?.bind, { source: '/tmp', createSource: false, propagation: 'HostToContainer', recursive: true });
      assert.equal(mounts.get('/a')?.readOnly, true);
      assert.deepEqual(mounts.get('/b')?.volume, { name: 'vol', noCopy: true });
      assert.deepEqual(mounts.get('/d')?.tmpfs, { size: 1_048_576, mode: '1770', options: ['noexec'] });
      assert.deepEqual(mounts.get('/srv')?.bind, { source: '/srv', createSource: true, propagation: 'Bidirectional', recursive: true });
      for (const place of ['/c', '/anonymous']) assert.equal(mounts.get(place)?.volume?.name, 'f'.repeat(64), place);
      assert.deepEqual(volumes, [
        { dockerName: 'vol', name: 'vol', options: { type: 'tmpfs', device: 'tmpfs' }, labels: { k: 'v' }, anonymous: false },
        { dockerName: 'f'.repeat(64), name: 'f'.repeat(64), options: {}, labels: {}, anonymous: true },
      ]);
    });

    it(`${client}: logging, stopping, restarting`, () => {
      const { logging, stopSignal, stopTimeoutSeconds } = spec('log');
      assert.deepEqual([logging, stopSignal, stopTimeoutSeconds], [{ mode: 'Drop', maxSize: 1_048_576, maxFiles: 2 }, 'SIGQUIT', 3]);
      const { command, args, restartPolicy, restartBackoff } = spec('onfailure');
      assert.deepEqual([command, args, restartPolicy, restartBackoff.maxRetries], [['true'], undefined, 'OnFailure', 3]);
      const { tty, stdin, stdinOnce, init, hostname, autoRemove } = spec('interactive');
      assert.deepEqual([tty, stdin, stdinOnce, init, hostname, autoRemove], [true, true, true, true, 'here', true]);
    });
  }

  it('has its health checked as request and image say', () => {
    const image = { ...IMAGE, Shell: ['/bin/ash', '-c'] };
    const health = (Healthcheck: object) => specOf({ Healthcheck }, {}, image).healthcheck;
    for (const client of CLIENTS) {
      assert.deepEqual(specOf(bodyOf(client, 'health'), {}, image).healthcheck, { disabled: false, onFailure: 'None', command: ['/bin/ash', '-c', 'true'], interval: '1000000000ns', timeout: '2000000000ns', startPeriod: '5000000000ns', retries: 3 });
      assert.deepEqual(specOf(bodyOf(client, 'none')).healthcheck, { disabled: true, onFailure: 'None' });
    }
    assert.equal(health({ Test: [] }), undefined);
    assert.deepEqual(health({ Test: ['CMD', 'probe', '-q'] }), { disabled: false, onFailure: 'None', command: ['probe', '-q'] });
    refused({ Healthcheck: { Interval: 5 } }, 'Interval in Healthcheck cannot be less than 1ms');
    refused({ Healthcheck: { Test: ['RUN', 'x'] } }, 'unknown type "RUN" in healthcheck');
  });

  it('is understood from docker-compose 1.29 (docker-py 5.0.3)', () => {
    const body = {
      Tty: false,
      OpenStdin: false,
      StdinOnce: false,
      AttachStdin: false,
      AttachStdout: false,
      AttachStderr: false,
      Cmd: ['top'],
      Image: 'busybox:latest',
      Volumes: { '/data': {}, '/cache': {} },
      NetworkDisabled: false,
      Labels: { 'com.docker.compose.project': 'compose-proj', 'com.docker.compose.config-hash': 'a'.repeat(64), 'com.docker.compose.depends_on': 'db:service_started:false' },
      ExposedPorts: { '80/tcp': {} },
      Env: ['A=1'],
      HostConfig: {
        NetworkMode: 'net1',
        Binds: ['compose-proj_data:/data:rw', '/srv/cache:/cache:rw,z'],
        VolumesFrom: [],
        PortBindings: { '80/tcp': [{ HostIp: '', HostPort: '8080' }] },
        Links: [],
        LogConfig: { Type: '', Config: {} },
        RestartPolicy: { Name: 'always', MaximumRetryCount: 0 },
      },
      NetworkingConfig: { EndpointsConfig: { net1: { Aliases: ['web'], IPAMConfig: {} } } },
    };
    const { container, volumes } = create(body);
    assert.deepEqual(container.spec.network.networks, [{ name: 'net1-resource', aliases: ['C_1', 'web'] }]);
    assert.deepEqual(container.spec.mounts.map(({ mountPath, bind, volume }) => [mountPath, bind?.source ?? volume?.name]), [['/data', 'compose-proj-data'], ['/cache', '/srv/cache']]);
    assert.deepEqual(volumes.map(({ dockerName }) => dockerName), ['compose-proj_data']);
    assert.deepEqual(container.metadata.labels, { 'com.docker.compose.project': 'compose-proj' }, 'labels that no resource can have are in the request alone');
  });

  it('takes its command from request and image as dockerd does', () => {
    const image: ImageRuntimeConfig = { Entrypoint: ['/entry'], Cmd: ['cmd'] };
    const command = (body: object) => {
      const spec = specOf(body, {}, image);
      return [spec.command, spec.args];
    };
    assert.deepEqual(command({}), [undefined, undefined]);
    assert.deepEqual(command({ Cmd: 'one word' }), [undefined, ['one word']]);
    assert.deepEqual(command({ Entrypoint: ['/own'] }), [['/own'], undefined]);
    assert.deepEqual(command({ Entrypoint: [], Cmd: ['x'] }), [['x'], undefined]);
    assert.deepEqual(command({ Entrypoint: [] }), [['cmd'], undefined]);
    assert.throws(() => specOf({ Entrypoint: [''] }, {}, image), { message: 'No command specified' });
    assert.throws(() => specOf({}, {}, {}), { message: 'No command specified' });
  });

  it('leaves variables out that have no value, unless the image has them', () => {
    assert.deepEqual(specOf({ Env: ['A', 'B=1', 'B=2=3', 'C='] }).env, [{ name: 'B', value: '2=3' }, { name: 'C', value: '' }]);
    refused({ Env: ['=x'] }, 'invalid environment variable: =x');
    refused({ Env: ['PATH'] }, /^taking the variable PATH of the image away is not supported/, 'Unsupported');
  });

  it('has anonymous volumes for what the image asks for, of its own where it is removed when it ends', () => {
    const image = { ...IMAGE, Volumes: { '/var/lib/db': {}, '/data/': {} } };
    const { container, volumes } = create({ HostConfig: { Binds: ['/srv:/data'] } }, {}, image);
    assert.deepEqual(container.spec.mounts.map(({ mountPath }) => mountPath), ['/data', '/var/lib/db']);
    assert.deepEqual(volumes.map(({ anonymous }) => anonymous), [true]);
    const own = create({ HostConfig: { AutoRemove: true } }, {}, image);
    assert.deepEqual(own.volumes, []);
    assert.deepEqual(own.container.spec.mounts.map(({ volume }) => volume?.name), [undefined, undefined]);
  });

  it('hides by its own mounts those of other containers', () => {
    const { mounts } = specOf({ HostConfig: { VolumesFrom: ['other', 'db:ro'], Binds: ['/own:/data'] } });
    assert.deepEqual(mounts.map(({ mountPath, readOnly, bind }) => [mountPath, readOnly, bind?.source]), [['/data', false, '/own'], ['/etc/db', true, '/srv/db']]);
    refusedHost({ VolumesFrom: ['own'] }, /^volumes of container own can't be shared: the one at \/cache is that container's own/, 'Conflict');
    refusedHost({ VolumesFrom: ['nobody'] }, 'No such container: nobody', 'NotFound');
    refusedHost({ VolumesFrom: ['other:rx'] }, 'invalid mode: rx');
  });

  it('publishes on all addresses where a client names those of IPv4 and of IPv6', () => {
    const ports = (bindings: object) => specOf({ HostConfig: { PortBindings: { '80/tcp': bindings } } }).ports.map(({ hostIP, hostPort }) => [hostIP, hostPort]);
    assert.deepEqual(ports([{ HostIp: '0.0.0.0', HostPort: '80' }, { HostIp: '::', HostPort: '80' }]), [[undefined, 80]]);
    assert.deepEqual(ports(null as unknown as object), [[undefined, 40_000]]);
  });

  it('is told when the kernel lacks something, as dockerd tells it', () => {
    const limits = { Memory: 67_108_864, MemorySwap: 134_217_728, MemorySwappiness: 5, OomKillDisable: true };
    const { container, warnings } = create({ HostConfig: limits }, { swapAccounting: false, cgroupVersion: 2 });
    assert.deepEqual(container.spec.resources, { memory: 67_108_864 });
    assert.equal(warnings.length, 3);
  });
});

describe('what docker create is refused', () => {
  it('names what Mooring does not do', () => {
    for (const [host, message] of [
      [{ CgroupParent: '/x' }, /CgroupParent/],
      [{ KernelMemory: 1 }, /KernelMemory/],
      [{ CpuRealtimeRuntime: 1 }, /CpuRealtimeRuntime/],
      [{ LogConfig: { Type: 'none' } }, /log driver "none"/],
      [{ VolumeDriver: 'nfs' }, /volume driver "nfs"/],
      [{ SecurityOpt: ['label=type:x'] }, /SELinux label "type:x"/],
    ] as const) refusedHost(host, message, 'Unsupported');
  });

  it('in words of dockerd', () => {
    for (const [host, message] of [
      [{ Runtime: 'kata' }, 'unknown or invalid runtime name: kata'],
      [{ Isolation: 'hyperv' }, /^invalid isolation "hyperv"/],
      [{ UsernsMode: 'private' }, 'invalid USER mode: private'],
      [{ PidMode: 'x' }, 'invalid PID mode: x'],
      [{ StorageOpt: { size: '1G' } }, /^--storage-opt is supported only for/],
      [{ LogConfig: { Type: 'gelf' } }, "logger: no log driver named 'gelf' is registered"],
      [{ LogConfig: { Type: '', Config: { colour: 'red' } } }, "unknown log opt 'colour' for json-file log driver"],
      [{ Memory: 1024 }, 'Minimum memory limit allowed is 6MB'],
      [{ MemorySwap: 67_108_864 }, /^You should always set the Memory limit/],
      [{ NanoCpus: 1, CpuQuota: 5000 }, /^Conflicting options: Nano CPUs and CPU Period/],
      [{ RestartPolicy: { Name: 'sometimes' } }, "invalid restart policy 'sometimes'"],
      [{ RestartPolicy: { Name: 'always' }, AutoRemove: true }, "can't create 'AutoRemove' container with restart policy"],
      [{ CapAdd: ['WIND'] }, 'invalid CapAdd: unknown capability: "WIND"'],
      [{ SecurityOpt: ['seccomp={'] }, /^Decoding seccomp profile failed: /],
      [{ SecurityOpt: ['nonsense'] }, 'invalid --security-opt 1: "nonsense"'],
      [{ Ulimits: [{ Name: 'nofile', Soft: 2, Hard: 1 }] }, 'ulimit soft limit must be less than or equal to hard limit: 2 > 1'],
      [{ DeviceCgroupRules: ['x 1:1 r'] }, "invalid device cgroup rule format: 'x 1:1 r'"],
      [{ Binds: ['/a:b'] }, "invalid volume specification: '/a:b': invalid mount path: 'b' mount path must be absolute"],
      [{ Binds: ['/a:/b:rx'] }, "invalid volume specification: '/a:/b:rx': invalid mode: rx"],
      [{ Binds: ['/a:/'] }, "invalid volume specification: '/a:/': invalid specification: destination can't be '/'"],
      [{ Binds: ['./a:/b'] }, /^create \.\/a: "\.\/a" includes invalid characters for a local volume name/],
      [{ Binds: ['/a:/b', '/c:/b/'] }, 'Duplicate mount point: /b'],
      [{ Mounts: [{ Type: 'npipe', Target: '/x' }] }, 'invalid mount config for type "npipe": mount type unknown'],
      [{ Mounts: [{ Type: 'tmpfs', Source: 'x', Target: '/x' }] }, 'invalid mount config for type "tmpfs": field Source must not be specified'],
      [{ Mounts: [{ Type: 'bind', Source: '/x' }] }, 'invalid mount config for type "bind": field Target must not be empty'],
      [{ PortBindings: { '80/quic': [] } }, 'invalid port specification: "80/quic"'],
      [{ PortBindings: { '80/tcp': [{ HostPort: '9-1' }] } }, 'invalid port specification: "9-1"'],
      [{ ExtraHosts: ['alone'] }, 'bad format for add-host: "alone"'],
      [{ Links: ['a:b:c'] }, 'bad format for links: a:b:c'],
      [{ NetworkMode: 'host', Links: ['other:db'] }, /^conflicting options: host type networking can't be used with links/],
      [{ NetworkMode: 'container:other', PublishAllPorts: true }, 'conflicting options: port publishing and the container type network mode'],
      [{ NetworkMode: 'container:other', Dns: ['1.1.1.1'] }, 'conflicting options: dns and the network mode'],
    ] as const) refusedHost(host, message);
    refusedHost({ NetworkMode: 'nowhere' }, 'network nowhere not found', 'NotFound');
    refusedHost({ NetworkMode: 'container:nobody' }, 'No such container: nobody', 'NotFound');
    refused({ Hostname: 'h', HostConfig: { UTSMode: 'host' } }, 'conflicting options: hostname and the UTS mode');
    refused({ Hostname: 'h', HostConfig: { NetworkMode: 'container:other' } }, 'conflicting options: hostname and the network mode');
    refused({ WorkingDir: 'tmp' }, "the working directory 'tmp' is invalid, it needs to be an absolute path");
    refused({ StopSignal: 'SIGNOPE' }, 'invalid signal: SIGNOPE');
    refused({ NetworkingConfig: { EndpointsConfig: { bridge: { IPAMConfig: { IPv4Address: '10.0.0.9' } } } } }, 'user specified IP address is supported on user defined networks only');
  });

  it('where its own rules are broken', () => {
    refusedHost({ Sysctls: { 'kernel.panic': '1' } }, /^invalid container: spec\.sysctls\.0\.name "kernel\.panic" belongs to the whole node/);
    assert.equal(createBodySchema.safeParse({ HostConfig: { Memory: 'much' } }).success, false);
  });
});
