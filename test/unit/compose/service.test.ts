import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { compose, problemsOf, service, specOf } from './support.ts';

/** Fields of a service, and what of the spec they make. */
const GOOD: Readonly<Record<string, object>> = {
  'command: sh -c "echo \'a b\'" x\\ y': { args: ['sh', '-c', "echo 'a b'", 'x y'] },
  'command: [sh, -c, $$HOME]': { args: ['sh', '-c', '$HOME'] },
  'entrypoint: /run.sh --now': { command: ['/run.sh', '--now'] },
  'entrypoint: [/run.sh]\ncommand: a b': { command: ['/run.sh'], args: ['a', 'b'] },
  'entrypoint: []\ncommand: a b': { command: ['a', 'b'] },
  'environment: {A: 1, B: true, C: "", D: }': { env: [{ name: 'A', value: '1' }, { name: 'B', value: 'true' }, { name: 'C', value: '' }, { name: 'D', value: 'of .env' }] },
  'environment: [A=1, B=, C=a=b, D, E]': { env: [{ name: 'A', value: '1' }, { name: 'B', value: '' }, { name: 'C', value: 'a=b' }, { name: 'D', value: 'of .env' }] },
  'env_file: a.env\nenvironment: [A=mine]': { env: [{ name: 'A', value: 'mine' }, { name: 'X', value: '1' }] },
  'env_file: [a.env, {path: none.env, required: false}, {path: raw.env, format: raw}]': { env: [{ name: 'A', value: 'file' }, { name: 'X', value: '"$1"' }] },
  'working_dir: /srv\nuser: "1000:1000"\ngroup_add: [mail, 5]': { workingDir: '/srv', user: '1000:1000', supplementalGroups: ['mail', '5'] },
  'hostname: a.b\ndomainname: c\ntty: true\nstdin_open: true\ninit: true': { hostname: 'a.b', domainname: 'c', tty: true, stdin: true, init: true },
  'stop_signal: sigint\nstop_grace_period: 1m30s': { stopSignal: 'SIGINT', stopTimeoutSeconds: 90 },
  'stop_grace_period: 1500ms': { stopTimeoutSeconds: 2 },
  'restart: always': { restartPolicy: 'Always', restartBackoff: { initial: '100ms', max: '1m', resetAfter: '10s' } },
  'restart: "no"': { restartPolicy: 'Never' },
  'restart: on-failure:3': { restartPolicy: 'OnFailure', restartBackoff: { maxRetries: 3 } },
  'pull_policy: if_not_present': { imagePullPolicy: 'IfNotPresent' },
  'ports: ["80:8080"]': { ports: [{ containerPort: 8080, hostPort: 80, protocol: 'TCP' }] },
  'ports: ["80:80", "81:80"]': { ports: [{ containerPort: 80, hostPort: 80, protocol: 'TCP' }, { containerPort: 80, hostPort: 81, protocol: 'TCP' }] },
  'ports: ["127.0.0.1:53:53/udp", "[::1]:1000-1002:2000-2002"]': {
    ports: [{ containerPort: 53, hostPort: 53, hostIP: '127.0.0.1', protocol: 'UDP' }, { containerPort: 2000, endPort: 2002, hostPort: 1000, hostIP: '::1' }],
  },
  'ports: [{target: 80, published: "8080", host_ip: 0.0.0.0, mode: host}]\nexpose: ["80", "81/udp", 90-91]': {
    ports: [{ containerPort: 80, hostPort: 8080 }, { containerPort: 81, protocol: 'UDP' }, { containerPort: 90, endPort: 91 }],
  },
  'volumes: ["./data:/data", "../up:/up:ro", "/etc/x:/x:rslave", "/anonymous"]': {
    mounts: [
      { mountPath: '/data', bind: { source: '/srv/shop/data', createSource: true } },
      { mountPath: '/up', readOnly: true, bind: { source: '/srv/up' } },
      { mountPath: '/x', bind: { source: '/etc/x', propagation: 'HostToContainer' } },
      { mountPath: '/anonymous', volume: {} },
    ],
  },
  'volumes: ["rows:/rows:nocopy", {type: volume, source: rows, target: /sub/, volume: {subpath: a/b}}]': {
    mounts: [{ mountPath: '/rows', volume: { name: 'shop-rows', noCopy: true } }, { mountPath: '/sub', volume: { name: 'shop-rows', subPath: 'a/b' } }],
  },
  'volumes: [{type: bind, source: ./f, target: /f, read_only: true, bind: {create_host_path: false, propagation: rshared}}]': {
    mounts: [{ mountPath: '/f', readOnly: true, bind: { source: '/srv/shop/f', createSource: false, propagation: 'Bidirectional' } }],
  },
  'tmpfs: [/run, "/tmp:size=64m,mode=1770"]\nvolumes: [{type: tmpfs, target: /t, tmpfs: {size: 4096, mode: "0700"}}]': {
    mounts: [{ mountPath: '/run', tmpfs: {} }, { mountPath: '/tmp', tmpfs: { size: 67_108_864, mode: '1770' } }, { mountPath: '/t', tmpfs: { size: 4096, mode: '0700' } }],
  },
  'configs: [conf, {source: conf, target: /etc/a.conf, mode: "0440", uid: "103", gid: "7"}]\nsecrets: [key]': {
    mounts: [
      { mountPath: '/conf', readOnly: true, configMap: { name: 'shop-conf', items: [{ key: 'conf', path: 'conf' }], subPath: 'conf', defaultMode: '0444', uid: 0, gid: 0 } },
      { mountPath: '/etc/a.conf', readOnly: true, configMap: { name: 'shop-conf', items: [{ key: 'conf', path: 'a.conf' }], subPath: 'a.conf', defaultMode: '0440', uid: 103, gid: 7 } },
      { mountPath: '/run/secrets/key', readOnly: true, secret: { name: 'shop-key', subPath: 'key' } },
    ],
  },
  'cpus: 1.5\nmem_limit: 512m\nmem_reservation: 256m\nmemswap_limit: 1g\npids_limit: 100\ncpu_shares: 512\ncpuset: 0,1': {
    resources: { cpu: '1500m', memory: 512 * 1024 ** 2, memoryReservation: 256 * 1024 ** 2, memorySwap: 1024 ** 3, pids: 100, cpuShares: 512, cpusetCpus: '0,1' },
  },
  'cpu_quota: 25000\ncpu_period: 50000': { resources: { cpu: '500m', cpuPeriod: 50_000 } },
  'deploy: {resources: {limits: {cpus: "0.5", memory: 64M, pids: 5}, reservations: {memory: 32M}}, restart_policy: {condition: on-failure, delay: 5s}}': {
    resources: { cpu: '500m', memory: 64 * 1024 ** 2, memoryReservation: 32 * 1024 ** 2, pids: 5 },
    restartPolicy: 'OnFailure',
    restartBackoff: { initial: '5s', max: '5s' },
  },
  'ulimits: {nofile: {soft: 10, hard: 20}, nproc: 5}\nsysctls: {net.core.somaxconn: 1024}\nshm_size: 128m\noom_score_adj: 500': {
    ulimits: [{ name: 'nofile', soft: 10, hard: 20 }, { name: 'nproc', soft: 5 }],
    sysctls: [{ name: 'net.core.somaxconn', value: '1024' }],
    shmSize: 128 * 1024 ** 2,
    oomScoreAdj: 500,
  },
  'sysctls: [net.core.somaxconn=1024]': { sysctls: [{ name: 'net.core.somaxconn', value: '1024' }] },
  'cap_add: [NET_ADMIN]\ncap_drop: [ALL]\nread_only: true\nprivileged: false\nsecurity_opt: ["no-new-privileges:true", seccomp=unconfined, "apparmor:web"]': {
    capabilities: { add: ['CAP_NET_ADMIN'], drop: ['ALL'] },
    readOnlyRootFilesystem: true,
    noNewPrivileges: true,
    seccompProfile: { type: 'Unconfined' },
    appArmorProfile: 'web',
  },
  'security_opt: [seccomp:./profile.json]': { seccompProfile: { type: 'Localhost', localhostProfile: '/srv/shop/profile.json' } },
  'healthcheck: {test: [CMD, /ok, "1"], interval: 5s, timeout: 1s, retries: 2, start_period: 1m, start_interval: 2s}': {
    healthcheck: { disabled: false, command: ['/ok', '1'], interval: '5s', timeout: '1s', retries: 2, startPeriod: '1m', startInterval: '2s' },
  },
  'healthcheck: {test: curl -f http://localhost}': { healthcheck: { command: ['/bin/sh', '-c', 'curl -f http://localhost'] } },
  'healthcheck: {test: [CMD-SHELL, a && b]}': { healthcheck: { command: ['/bin/sh', '-c', 'a && b'] } },
  'healthcheck: {disable: true}': { healthcheck: { disabled: true } },
  'healthcheck: {test: [NONE]}': { healthcheck: { disabled: true } },
  'devices: ["/dev/fuse", "/dev/a:/dev/b", "/dev/c:/dev/d:r", {source: /dev/e, target: /dev/f, permissions: rw}]\ndevice_cgroup_rules: ["c 1:3 mr"]': {
    devices: [{ path: '/dev/fuse' }, { path: '/dev/a', containerPath: '/dev/b' }, { path: '/dev/c', containerPath: '/dev/d', permissions: 'r' }, { path: '/dev/e', containerPath: '/dev/f', permissions: 'rw' }],
    deviceCgroupRules: ['c 1:3 mr'],
  },
  'pid: host\nipc: shareable\nuts: host\ncgroup: host': { namespaces: { pid: 'Host', ipc: 'Shareable', uts: 'Host', cgroup: 'Host' } },
  'pid: container:x\nipc: container:x': { namespaces: { pid: 'Container:x', ipc: 'Container:x' } },
  'tmpfs: "/tmp:noexec,uid=5,size=1m"': { mounts: [{ mountPath: '/tmp', tmpfs: { size: 1024 ** 2, options: ['noexec', 'uid=5'] } }] },
  'network_mode: host': { network: { mode: 'Host' } },
  'network_mode: none': { network: { mode: 'None' } },
  'network_mode: bridge': { network: { mode: 'Bridge', networks: [] } },
  'network_mode: container:other': { network: { mode: 'Container', container: 'other' } },
  'dns: 1.1.1.1\ndns_search: [a.example]\ndns_opt: [ndots:2]\nextra_hosts: ["a:10.0.0.1", "b=[::1]"]\nmac_address: 02:42:ac:11:00:02': {
    network: {
      mode: 'Bridge',
      networks: [{ name: 'shop-default', aliases: ['web'], macAddress: '02:42:ac:11:00:02' }],
      dns: { servers: ['1.1.1.1'], searches: ['a.example'], options: ['ndots:2'] },
      extraHosts: [{ ip: '10.0.0.1', hostnames: ['a'] }, { ip: '::1', hostnames: ['b'] }],
    },
  },
  'logging: {driver: local, options: {max-size: 1m, max-file: "5", mode: non-blocking, tag: x}}': { logging: { mode: 'Drop', maxSize: 1024 ** 2, maxFiles: 5 } },
  'build: {context: ./app, dockerfile: Dockerfile.web, target: run, args: {A: 1, D: }}': {
    image: 'busybox',
    build: { context: '/srv/shop/app', dockerfile: 'Dockerfile.web', target: 'run', args: [{ name: 'A', value: '1' }, { name: 'D', value: 'of .env' }] },
  },
};

const REST = 'volumes: {rows: }\nconfigs: {conf: {file: ./a.conf}}\nsecrets: {key: {file: ./key}}\n';
const FILES = { '.env': 'D="of .env"\n', 'a.env': 'A=file\nX=1\n', 'raw.env': 'X="$1"\n', 'a.conf': 'x', key: 'k' };

describe('a field of a service becomes', () => {
  for (const [fields, part] of Object.entries(GOOD)) {
    test(fields, async () => {
      const spec = await specOf(service(fields, REST), FILES);
      assert.partialDeepStrictEqual(spec, part);
    });
  }
});

/** Fields of a service, and the problem, which stands below `services.web`. */
const BAD: Readonly<Record<string, string>> = {
  'comand: x': '4:5 .comand: unknown field (did you mean command?)',
  'command: "a \'b"': '4:14 .command: "a \'b" lacks a closing \'',
  'command: []': "4:14 .command: an image's entrypoint can't be run without the image's own arguments (give the entrypoint, too)",
  'environment: {A: [1]}': '4:22 .environment.A: must be a text, not a list',
  'environment: {A: 0644}': '4:22 .environment.A: 0644 is a decimal number to some tools and an octal one to others (put it in quotes: "0644")',
  'env_file: none.env': '4:15 .env_file: there is no file /srv/shop/none.env (make it, or set required to false)',
  'ports: ["80"]': '4:13 .ports[0]: a port of the node that is chosen anew at each start is nothing to rely on (name it: "80:80"; expose what only other containers reach)',
  'ports: ["80:1-2"]': '4:13 .ports[0]: the two ranges are not of the same length',
  'ports: ["99999:80"]': '4:13 .ports[0]: hostPort: is 99999, at most 65535 is allowed',
  'ports: ["80:80", "80:81"]': '4:22 .ports[1]: hostPort: "80/TCP" is given twice (keep one of them)',
  'ports: ["80:80"]\nnetwork_mode: host': "4:13 .ports[0]: hostPort: a port can't be published from network mode Host (leave it out: in the node's own network containerPort is the node's port)",
  'ports: ["80:80"]\ndeploy: {replicas: 2}': '4:13 .ports[0]: only one of 2 containers can have port 80 of the node (publish it from a service of one container)',
  'volumes: ["none:/x"]': '4:15 .volumes[0]: there is no volume none in this file (declare it below volumes, or write ./none for a folder)',
  'volumes: ["~/x:/x"]': "4:15 .volumes[0]: ~ is somebody's home, and the daemon does not know whose (write the path out)",
  'volumes: ["./x:/x:Z"]': '4:15 .volumes[0]: Z relabels files for SELinux, which Mooring does not do (leave it out)',
  'volumes: [{type: npipe, target: /x}]': '4:22 .volumes[0].type: must be bind, volume or tmpfs, not "npipe"',
  'mem_limit: 64x': '4:16 .mem_limit: "64x" is no size (write a number with b, k, m or g behind it: 64m, 1g)',
  'mem_limit: 1k': '4:16 .mem_limit: 1024 is too little memory (give at least 4Mi; leave it out for no limit)',
  'cap_add: [NET_ADMN]': '4:15 .cap_add[0]: "NET_ADMN" is not a capability (did you mean NET_ADMIN?)',
  'ulimits: {nofiles: 5}': '4:24 .ulimits.nofiles: name: must be as, core, cpu, data, fsize, locks, memlock, msgqueue, nice, nofile, nproc, rss, rtprio, rttime, sigpending or stack, not the string "nofiles" (did you mean nofile?)',
  'pid: "service:db"': '4:10 .pid: there is no service db in this file',
  'healthcheck: {test: [sh, -c, x]}': '4:25 .healthcheck.test: must begin with NONE, CMD or CMD-SHELL (write [CMD, program, argument] or [CMD-SHELL, "a line"])',
  'gpus: all': '4:5 .gpus: GPUs are not supported (leave it out)',
  'restart: sometimes': '4:14 .restart: there is no restart policy "sometimes" (use "no", always, unless-stopped or on-failure)',
  'networks: [front]': '4:16 .networks[0]: there is no network front in this file (declare it below networks)',
  'depends_on: [db]': '4:18 .depends_on[0]: there is no service db in this file',
  'depends_on: {web: {condition: service_well}}': '4:35 .depends_on.web.condition: must be service_started, service_healthy or service_completed_successfully, not "service_well"',
  'logging: {driver: syslog}': '4:23 .logging.driver: there is no log driver syslog (use json-file or local; the log is a file that log shippers read)',
  'secrets: [key]': '4:15 .secrets[0]: there is no secret key in this file (declare it below secrets)',
  'user: ${U:?who?}': '4:11 .user: the variable U is required: who? (set it in .env beside the file)',
  'build: {context: ., dockerfile_inline: FROM x}': '4:25 .build.dockerfile_inline: is not supported (write it to a file and name that by dockerfile)',
};

describe('a mistake is told where it stands', () => {
  for (const [fields, expected] of Object.entries(BAD)) {
    test(fields, async () => {
      const [problem = '', ...more] = await problemsOf(service(fields));
      assert.deepEqual([problem.replace('compose.yaml:', '').replace(' services.web', ' '), ...more], [expected.replace(/ (?=\.)/, '  ').replace('  .', ' .')]);
    });
  }
});

/** What is accepted, and told of all the same. */
const WARNED: Readonly<Record<string, string>> = {
  'deploy: {placement: {constraints: [a]}}': 'deploy.placement: there is one node to run on',
  'user: "0${U}"': 'user: the variable U is not set and counts as empty (set it in .env beside the file, or give it a default: ${U:-})',
  'build: {context: ., cache_from: [x]}': "build.cache_from: builds go by the node's own cache",
};

test('depends_on is what it says, of each container of the other service', async () => {
  const file = `services:
  web: {image: a, depends_on: {db: {condition: service_healthy, restart: true}, job: {condition: service_completed_successfully, required: false}, off: {required: false}, cache: {}}}
  db: {image: b}
  job: {image: c}
  cache: {image: d, deploy: {replicas: 2}}
  off: {image: e, profiles: [never]}
`;
  const { documents, problems } = await compose(file);
  assert.deepEqual(problems, []);
  const web = documents.find(({ name }) => name === 'default/shop-web-1')?.resource;
  assert.deepEqual(web?.kind === 'Container' && web.spec.dependsOn, [
    { container: 'shop-db-1', condition: 'Ready', required: true, restart: true },
    { container: 'shop-job-1', condition: 'Completed', required: false, restart: false },
    { container: 'shop-cache-1', condition: 'Started', required: true, restart: false },
    { container: 'shop-cache-2', condition: 'Started', required: true, restart: false },
  ]);
});

test('services that wait for each other are refused, with the circle', async () => {
  const [problem] = await problemsOf('services:\n  a: {image: a, depends_on: [b]}\n  b: {image: b, depends_on: [a]}\n');
  assert.match(problem ?? '', /^compose\.yaml:3:17 services\.b\.depends_on: it would come before itself: default\/\S+-b-1 → default\/\S+-a-1 → default\/\S+-b-1, /);
});

describe('what is not done, though the file is accepted, is told of', () => {
  for (const [fields, expected] of Object.entries(WARNED)) {
    test(fields, async () => {
      const problems = await problemsOf(service(fields));
      assert.equal(problems.length, 1);
      assert.ok(problems[0]?.startsWith('warning compose.yaml:4:') && problems[0].endsWith(` services.web.${expected}`), problems[0]);
      await specOf(service(fields));
    });
  }
});
