import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import { stringify } from 'yaml';
import type { Container } from '../../../src/spec/container.ts';
import { parseDocuments } from '../../../src/spec/parse.ts';

function pod(spec: string, metadata = '{name: web}'): string {
  return `apiVersion: v1\nkind: Pod\nmetadata: ${metadata}\nspec:\n${spec.replace(/^(?=.)/gm, '  ')}\n`;
}

function problemsOf(text: string): string[] {
  return parseDocuments(text, 'pod.yaml').problems.map(({ at, field, message, fix, warning }) => `${warning === true ? 'warning ' : ''}${at.replace('pod.yaml:', '')} ${field}: ${message}${fix === undefined ? '' : ` (${fix})`}`);
}

function containersOf(text: string): Container[] {
  const { documents, problems } = parseDocuments(text, 'pod.yaml');
  assert.deepEqual(problems.filter(({ warning }) => warning !== true), []);
  return documents.flatMap(({ resource }) => (resource.kind === 'Container' ? [resource] : []));
}

test("a pod's containers share the network of the first, which has the ports of all; emptyDirs are volumes that go with it", () => {
  const text = pod(`hostname: shop
terminationGracePeriodSeconds: 5
restartPolicy: OnFailure
imagePullSecrets: [{name: login}]
hostAliases: [{ip: 10.0.0.1, hostnames: [a, b]}]
dnsPolicy: None
dnsConfig: {nameservers: [1.1.1.1], searches: [x.example], options: [{name: ndots, value: "2"}, {name: use-vc}]}
securityContext: {runAsUser: 1000, runAsGroup: 1000, supplementalGroups: [5], sysctls: [{name: net.core.somaxconn, value: "1024"}]}
volumes:
  - {name: work, emptyDir: {}}
  - {name: fast, emptyDir: {medium: Memory, sizeLimit: 64Mi}}
  - {name: conf, hostPath: {path: /etc/app, type: DirectoryOrCreate}}
containers:
  - name: app
    image: app:1
    command: [/app, "$(PORT)", "$$(PORT)", "$(NONE)"]
    args: ["--name=$(NAME)"]
    env: [{name: PORT, value: "80"}, {name: URL, value: "http://$(PORT)"}, {name: NAME, valueFrom: {fieldRef: {fieldPath: metadata.name}}}, {name: TEAM, valueFrom: {fieldRef: {fieldPath: "metadata.labels['team']"}}}]
    ports: [{containerPort: 80, hostPort: 8080, hostIP: 127.0.0.1, name: http}]
    resources: {limits: {cpu: 500m, memory: 64Mi}, requests: {cpu: 250m}}
    volumeMounts: [{name: work, mountPath: /work, subPath: a}, {name: fast, mountPath: /fast}, {name: conf, mountPath: /conf, subPath: b, readOnly: true, mountPropagation: HostToContainer}]
    securityContext: {runAsUser: 0, privileged: false, readOnlyRootFilesystem: true, allowPrivilegeEscalation: false, capabilities: {add: [NET_ADMIN], drop: [ALL]}, seccompProfile: {type: Unconfined}}
  - name: side
    image: side:1
    ports: [{containerPort: 53, hostPort: 53, protocol: UDP}]
    volumeMounts: [{name: work, mountPath: /work}]
    lifecycle: {stopSignal: SIGUSR1}
`, '{name: web, namespace: apps, labels: {team: blue}, annotations: {note: x}, uid: 1}');
  const { documents } = parseDocuments(text, 'pod.yaml');
  assert.deepEqual(documents.map(({ at, name, resource }) => `${resource.kind} ${name} ${at}`), ['Volume apps/web-work pod.yaml:14:20', 'Container apps/web-app pod.yaml:18:7', 'Container apps/web-side pod.yaml:27:7']);
  assert.partialDeepStrictEqual(documents[0]?.resource, { spec: { reclaimPolicy: 'Delete' } });
  const [app, side] = containersOf(text);
  assert.deepEqual(app?.metadata.labels, { team: 'blue', 'io.kubernetes.pod.name': 'web', 'io.kubernetes.container.name': 'app' });
  assert.partialDeepStrictEqual(app?.spec, {
    image: 'app:1',
    hostname: 'shop',
    command: ['/app', '80', '$(PORT)', '$(NONE)'],
    args: ['--name=web'],
    env: [{ name: 'PORT', value: '80' }, { name: 'URL', value: 'http://80' }, { name: 'NAME', value: 'web' }, { name: 'TEAM', value: 'blue' }],
    ports: [{ containerPort: 80, hostPort: 8080, hostIP: '127.0.0.1', name: 'http' }, { containerPort: 53, hostPort: 53, protocol: 'UDP' }],
    resources: { cpu: '500m', memory: '64Mi', cpuShares: 256 },
    mounts: [
      { mountPath: '/work', volume: { name: 'web-work', subPath: 'a' } },
      { mountPath: '/fast', tmpfs: { size: '64Mi' } },
      { mountPath: '/conf', readOnly: true, bind: { source: '/etc/app/b', createSource: true, propagation: 'HostToContainer' } },
    ],
    user: '0:1000',
    supplementalGroups: ['5'],
    sysctls: [{ name: 'net.core.somaxconn', value: '1024' }],
    readOnlyRootFilesystem: true,
    noNewPrivileges: true,
    capabilities: { add: ['CAP_NET_ADMIN'], drop: ['ALL'] },
    seccompProfile: { type: 'Unconfined' },
    network: { mode: 'Bridge', dns: { servers: ['1.1.1.1'], searches: ['x.example'], options: ['ndots:2', 'use-vc'] }, extraHosts: [{ ip: '10.0.0.1', hostnames: ['a', 'b'] }] },
    restartPolicy: 'OnFailure',
    stopTimeoutSeconds: 5,
    imagePullSecrets: [{ name: 'login' }],
  });
  assert.partialDeepStrictEqual(side?.spec, { ports: [], sysctls: [], user: '1000:1000', hostname: 'shop', stopSignal: 'SIGUSR1', network: { mode: 'Container', container: 'web-app' }, mounts: [{ mountPath: '/work', volume: { name: 'web-work' } }] });
});

test("on the node's own network every container has it, and hostPorts say nothing more", () => {
  const [app, side] = containersOf(pod('hostNetwork: true\nhostPID: true\nhostIPC: true\ncontainers:\n- {name: app, image: a, ports: [{containerPort: 80, hostPort: 80}]}\n- {name: side, image: b}'));
  assert.equal(app?.spec.network.mode, 'Host');
  assert.equal(app.spec.hostname, undefined);
  assert.deepEqual(app.spec.ports.map(({ hostPort }) => hostPort), [undefined]);
  assert.equal(side?.spec.network.mode, 'Host');
  assert.partialDeepStrictEqual(side.spec.namespaces, { pid: 'Host', ipc: 'Host' });
});

test('ConfigMaps and Secrets are variables and volumes of the containers', () => {
  const [app] = containersOf(pod(`containers:
- name: app
  image: a
  envFrom: [{prefix: P_, configMapRef: {name: c, optional: true}}, {secretRef: {name: s}}]
  env: [{name: A, valueFrom: {secretKeyRef: {name: s, key: k}}}]
  volumeMounts:
  - {name: c, mountPath: /c}
  - {name: s, mountPath: /s/k, subPath: k, readOnly: true}
  - {name: p, mountPath: /p}
volumes:
- {name: c, configMap: {name: c, defaultMode: 256, items: [{key: k, path: d/k, mode: 0o440}]}}
- {name: s, secret: {secretName: s, optional: true}}
- {name: p, projected: {defaultMode: 420, sources: [{secret: {name: s}}, {configMap: {name: c, optional: true}}]}}
`));
  assert.partialDeepStrictEqual(app?.spec, {
    envFrom: [{ prefix: 'P_', configMapRef: { name: 'c', optional: true } }, { prefix: '', secretRef: { name: 's', optional: false } }],
    env: [{ name: 'A', valueFrom: { secretKeyRef: { name: 's', key: 'k', optional: false } } }],
    mounts: [
      { mountPath: '/c', configMap: { name: 'c', defaultMode: '0400', items: [{ key: 'k', path: 'd/k', mode: '0440' }] } },
      { mountPath: '/s/k', secret: { name: 's', optional: true, subPath: 'k' } },
      { mountPath: '/p', projected: { defaultMode: '0644', sources: [{ secret: { name: 's' } }, { configMap: { name: 'c', optional: true } }] } },
    ],
  });
  assert.match(problemsOf(pod('containers: [{name: app, image: a}]\nvolumes: [{name: x, secret: {secretName: y, defaultMode: 0400}}]')).join(), /octal/);
});

/** What `kubectl get -o yaml` prints of a pod is one. */
test('fields that a cluster writes are not in the way', () => {
  const text = pod('containers: [{name: app, image: a, terminationMessagePath: /dev/termination-log, resources: {}}]\nnodeName: n\npriority: 0\nschedulerName: default-scheduler\nsecurityContext: {}\ntolerations: [{operator: Exists}]\nenableServiceLinks: true', '{name: web, creationTimestamp: null, managedFields: []}');
  assert.equal(containersOf(`${text}status: {phase: Running}\n`).length, 1);
});

const C = 'containers: [{name: app, image: a}]\n';
const BAD: Readonly<Record<string, string>> = {
  [`${C}initContainers: [{name: i, image: b}]`]: '6:3 spec.initContainers: init containers are not supported (have the containers do their work, or a container with restartPolicy Never)',
  [`${C}shareProcessNamespace: true`]: "6:3 spec.shareProcessNamespace: containers of a pod do not see each other's processes (leave it out)",
  [`${C}restartPolcy: Never`]: '6:3 spec.restartPolcy: unknown field (did you mean restartPolicy?)',
  'containers: []': '5:3 spec: has no containers',
  'containers: [{name: app, image: A}]': '5:35 spec.containers[0].image: "A" is not an image reference: "library/A" is not a repository (write it in lower case: library/a)',
  'containers: [{name: app, image: a, imagePullPolicy: always}]': '5:55 spec.containers[0].imagePullPolicy: must be Always, IfNotPresent or Never, not "always" (did you mean Always?)',
  'containers: [{name: app, image: a, env: [{name: X, valueFrom: {configMapKeyRef: {name: c, key: k}}}, {name: Y, value: $(X)}]}]': '5:121 spec.containers[0].env[1].value: $(X) comes from a ConfigMap or a Secret, which is known only when the container is made (have a shell put it in: sh -c, with $NAME)',
  'containers: [{name: app, image: a, env: [{name: X, valueFrom: {resourceFieldRef: {}}}]}]': '5:66 spec.containers[0].env[0].valueFrom.resourceFieldRef: is not supported (write the value out, or use a fieldRef of metadata, a configMapKeyRef or a secretKeyRef)',
  'containers: [{name: app, image: a, livenessProbe: {tcpSocket: {port: web}}}]': '5:72 spec.containers[0].livenessProbe.tcpSocket.port: there is no port "web" among the ports of this container (name one of them, or give its number)',
  'containers: [{name: app, image: a, livenessProbe: {periodSeconds: 5}}]': '5:53 spec.containers[0].livenessProbe: says nothing of how to probe (give one of exec, httpGet, tcpSocket and grpc)',
  'containers: [{name: app, image: a, volumeMounts: [{name: x, mountPath: /x}]}]': '5:60 spec.containers[0].volumeMounts[0].name: there is no volume x in this pod',
  'containers: [{name: app, image: a, resources: {limits: {memory: 1}}}]': '5:67 spec.containers[0].resources.limits.memory: 1 is too little memory (give at least 4Mi; leave it out for no limit)',
  [`${C}volumes: [{name: x, nfs: {server: y}}]`]: '6:23 spec.volumes[0].nfs: is a kind of volume that is not supported (use hostPath, emptyDir, configMap, secret or projected)',
  [`${C}volumes: [{name: x, secret: {secretName: y, defaultMode: 644}}]`]: '6:60 spec.volumes[0].secret.defaultMode: is no mode: a whole number from 0 to 511 (write 420 or 0o644 for rw-r--r--)',
  [`${C}volumes: [{name: x, projected: {sources: [{downwardAPI: {}}]}}]`]: '6:46 spec.volumes[0].projected.sources[0].downwardAPI: is a source that is not supported (use configMap or secret)',
  [`${C}securityContext: {runAsNonRoot: true}`]: "6:21 spec.securityContext.runAsNonRoot: an image's own user is not looked at before it runs (give runAsUser)",
  'containers: [{name: app, image: a, ports: [{containerPort: 1, hostPort: 5}]}, {name: b, image: b, ports: [{containerPort: 1}]}]': '5:109 spec.containers[1].ports[0]: containerPort: "1/TCP" is given twice (keep one of them)',
};

describe('a mistake is told where it stands', () => {
  for (const [spec, expected] of Object.entries(BAD)) {
    test(spec, () => {
      assert.deepEqual(problemsOf(pod(spec)), [expected]);
      assert.deepEqual(parseDocuments(pod(spec), 'pod.yaml').documents, []);
    });
  }
});

test('probes are as they are, with the numbers of the ports that they name', () => {
  const text = pod(`containers:
  - name: app
    image: a
    ports: [{containerPort: 8080, name: http}]
    startupProbe: {grpc: {port: 9000, service: shop.Cart}, failureThreshold: 30}
    readinessProbe: {httpGet: {port: http, path: well?full=1, scheme: HTTPS, httpHeaders: [{name: Host, value: shop}]}, initialDelaySeconds: 2, periodSeconds: 5, successThreshold: 2}
    livenessProbe: {tcpSocket: {port: 8080}, timeoutSeconds: 3, terminationGracePeriodSeconds: 1}
  - name: side
    image: b
    livenessProbe: {exec: {command: [test, -f, /well]}}
`);
  const [app, side] = containersOf(text).map(({ spec: { startupProbe, readinessProbe, livenessProbe } }) => ({ startupProbe, readinessProbe, livenessProbe }));
  const usual = { initialDelaySeconds: 0, periodSeconds: 10, timeoutSeconds: 1, successThreshold: 1, failureThreshold: 3 };
  assert.deepEqual(app, {
    startupProbe: { ...usual, grpc: { port: 9000, service: 'shop.Cart' }, failureThreshold: 30 },
    readinessProbe: { ...usual, httpGet: { port: 8080, path: '/well?full=1', scheme: 'HTTPS', httpHeaders: [{ name: 'Host', value: 'shop' }] }, initialDelaySeconds: 2, periodSeconds: 5, successThreshold: 2 },
    livenessProbe: { ...usual, tcpSocket: { port: 8080 }, timeoutSeconds: 3, terminationGracePeriodSeconds: 1 },
  });
  assert.deepEqual(side, { startupProbe: undefined, readinessProbe: undefined, livenessProbe: { ...usual, exec: { command: ['test', '-f', '/well'] } } });
});

test('what is not done, though the pod is accepted, is told of', () => {
  const text = pod('containers: [{name: app, image: a, resources: {requests: {memory: 1Mi}}}]');
  assert.deepEqual(problemsOf(text), ['warning 5:61 spec.containers[0].resources.requests.memory: is not kept free for a container']);
  assert.equal(containersOf(text).length, 1);
});

test('a pod stands beside documents of ours, and in lists; a bad one takes no good one with it', () => {
  const own = 'apiVersion: mooring.dev/v1alpha1\nkind: Container\nmetadata: {name: own}\nspec: {image: a}\n';
  assert.deepEqual(containersOf(`${own}---\n${pod(C)}`).map(({ metadata }) => metadata.name), ['own', 'web-app']);
  const { documents, problems } = parseDocuments(`${own}---\n${pod(`${C}runtimeClassName: x`)}`, 'pod.yaml');
  assert.deepEqual([documents.length, problems.length], [1, 1]);
  const list = `apiVersion: v1\nkind: List\nitems:\n- ${JSON.stringify({ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'web' }, spec: { containers: [{ name: 'app', image: 'a' }] } })}\n`;
  assert.deepEqual(containersOf(list).map(({ metadata }) => metadata.name), ['web-app']);
});

test('never throws, whatever the shape', () => {
  const word = fc.constantFrom('containers', 'name', 'image', 'volumes', 'volumeMounts', 'env', 'value', 'valueFrom', 'fieldRef', 'ports', 'containerPort', 'hostPort', 'resources', 'limits', 'requests', 'cpu', 'memory', 'securityContext', 'capabilities', 'add', 'hostPath', 'path', 'emptyDir', 'dnsConfig', 'hostNetwork', 'hostname', 'a', '/x', '1');
  const { value } = fc.letrec((tie) => ({
    value: fc.oneof({ depthSize: 'small' }, word, fc.constant(null), fc.integer(), fc.boolean(), fc.array(tie('value'), { maxLength: 3 }), fc.dictionary(word, tie('value'), { maxKeys: 4 })),
  }));
  fc.assert(
    fc.property(fc.dictionary(word, value, { maxKeys: 6 }), fc.dictionary(word, value, { maxKeys: 5 }), (spec, container) => {
      for (const { at } of parseDocuments(stringify({ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'a' }, spec: { ...spec, containers: [{ name: 'a', image: 'a', ...container }, spec] } }), 'pod.yaml').problems) assert.match(at, /^pod\.yaml:\d+:\d+$/);
    }),
    { numRuns: 2000 },
  );
});
