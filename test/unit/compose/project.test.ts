import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import { stringify } from 'yaml';
import type { Network } from '../../../src/spec/network.ts';
import { compose, containersOf, problemsOf, service, specOf } from './support.ts';

const names = async (text: string, beside: Readonly<Record<string, string>> = {}): Promise<string[]> => {
  const { documents, problems } = await compose(text, beside);
  assert.deepEqual(problems.filter(({ warning }) => warning !== true), []);
  return documents.map(({ resource }) => `${resource.kind} ${resource.metadata.name}`);
};

describe("a project's names", () => {
  const cases: readonly (readonly [string, string, Readonly<Record<string, string>>])[] = [
    ['the folder', service(''), {}],
    ['name', `name: my_shop\n${service('')}`, {}],
    ['COMPOSE_PROJECT_NAME', `name: other\n${service('')}`, { '.env': 'COMPOSE_PROJECT_NAME=mine\n' }],
  ];
  for (const [[what, text, beside], project] of cases.map((one, index) => [one, ['shop', 'my-shop', 'mine'][index]] as const)) {
    test(`come from ${what}`, async () => assert.deepEqual(await names(text, beside), [`Network ${project}-default`, `Container ${project}-web-1`]));
  }

  test('of services may hold what names of resources may not', async () => {
    const [one] = await containersOf('services: {My_Web.v2: {image: a, labels: {x: y}}}');
    assert.equal(one?.metadata.name, 'shop-my-web-v2-1');
    assert.deepEqual(one?.spec.network.networks, [{ name: 'shop-default', aliases: ['My_Web.v2'] }]);
    assert.deepEqual(one?.metadata.labels, { x: 'y', 'com.docker.compose.project': 'shop', 'com.docker.compose.service': 'My_Web.v2', 'com.docker.compose.container-number': '1' });
  });

  test('container_name, replicas and scale', async () => {
    assert.deepEqual(await names('services: {a: {image: a, container_name: Mine}, b: {image: b, deploy: {replicas: 2}}, c: {image: c, scale: 0}}'), [
      'Network shop-default', 'Container mine', 'Container shop-b-1', 'Container shop-b-2',
    ]);
    assert.match((await problemsOf(service('container_name: x\nscale: 2')))[0] ?? '', /one name for 2 containers/);
  });
});

describe('networks and volumes', () => {
  test('are made where a service has them, and as they say', async () => {
    const text = `
services:
  web: {image: a, networks: {front: {}, back: {aliases: [w], ipv4_address: 10.1.0.5}}}
  db: {image: b, networks: [back, outer], volumes: ["rows:/rows", "theirs:/t"]}
networks:
  front: {driver: bridge, driver_opts: {com.docker.network.driver.mtu: 1400}, enable_ipv6: true, labels: [a=b]}
  back: {internal: true, name: Back_end, ipam: {config: [{subnet: 10.1.0.0/24, gateway: 10.1.0.254, ip_range: 10.1.0.0/25}]}}
  outer: {external: true, name: shared}
  unused:
volumes:
  rows: {driver: local, driver_opts: {type: none, o: bind, device: /srv/rows}}
  theirs: {external: true}
  unused: {}
`;
    assert.deepEqual(await names(text), ['Network shop-front', 'Network back-end', 'Volume shop-rows', 'Container shop-web-1', 'Container shop-db-1']);
    const { documents } = await compose(text);
    const [front, back] = documents.map(({ resource }) => resource as Network);
    assert.partialDeepStrictEqual(front?.spec, { driver: 'Bridge', mtu: 1400, ipv6: true, internal: false });
    assert.partialDeepStrictEqual(back?.spec, { internal: true, ipv6: false, subnets: [{ cidr: '10.1.0.0/24', gateway: '10.1.0.254', ipRange: '10.1.0.0/25' }] });
    const [web, db] = await containersOf(text);
    // The way outside goes by the network that is not internal.
    assert.deepEqual(web?.spec.network.networks, [{ name: 'shop-front', aliases: ['web'] }, { name: 'back-end', aliases: ['web', 'w'], ipv4Address: '10.1.0.5' }]);
    assert.deepEqual(db?.spec.network.networks.map(({ name }) => name), ['shared', 'back-end']);
    assert.deepEqual(db?.spec.mounts.map(({ volume }) => volume?.name), ['shop-rows', 'theirs']);
  });

  test('what a service shares with another', async () => {
    const text = 'services: {a: {image: a, volumes: ["v:/v", "./x:/x"]}, b: {image: b, network_mode: "service:a", volumes_from: ["a:ro"]}, c: {image: c, links: ["a:other"]}}\nvolumes: {v: }';
    const [, b, c] = await containersOf(text);
    assert.partialDeepStrictEqual(b?.spec.network, { mode: 'Container', container: 'shop-a-1' });
    assert.deepEqual(b?.spec.mounts.map(({ mountPath, readOnly }) => [mountPath, readOnly]), [['/v', true], ['/x', true]]);
    assert.deepEqual(c?.spec.network.links, [{ container: 'shop-a-1', alias: 'other' }]);
  });

  test('mistakes', async () => {
    assert.deepEqual(await problemsOf(`${service('')}networks: {default: {driver: overlay}}\nvolumes: {v: {driver: nfs}}\nextra: 1`), [
      'compose.yaml:5:30 networks.default.driver: must be bridge, macvlan or ipvlan, not "overlay"',
      'compose.yaml:6:23 volumes.v.driver: there is no volume driver nfs (use local; with driver_opts type, device and o it mounts what mount(8) can)',
      'compose.yaml:7:1 extra: unknown field (the fields here are name, version, services, networks, volumes, configs, secrets, include and models)',
    ]);
  });
});

describe('configs and secrets', () => {
  const used = 'services: {web: {image: a, configs: [c], secrets: [s]}}\n';

  test('are made of files, variables and texts where a service has them', async () => {
    const text = `${used}configs: {c: {file: ./c.bin}, unused: {file: ./none}}\nsecrets: {s: {environment: S, name: mine}}\n`;
    const { documents, problems } = await compose(text, { 'c.bin': 'hello', '.env': 'S=hunter2\n' });
    assert.deepEqual(problems, []);
    assert.partialDeepStrictEqual(documents.map(({ resource }) => resource), [
      { kind: 'Network' },
      { kind: 'ConfigMap', metadata: { name: 'shop-c' }, data: { c: 'hello' } },
      { kind: 'Secret', metadata: { name: 'mine' }, data: { s: Buffer.from('hunter2').toString('base64') } },
      { kind: 'Container' },
    ]);
    const inline = await compose(`${used}configs: {c: {content: "port \${P}\\n"}}\nsecrets: {s: {external: true, name: db}}\n`, { '.env': 'P=80\n' });
    assert.deepEqual(inline.problems, []);
    assert.partialDeepStrictEqual(inline.documents[1]?.resource, { kind: 'ConfigMap', data: { c: 'port 80\n' } });
    assert.deepEqual(inline.documents.map(({ resource }) => resource.kind), ['Network', 'ConfigMap', 'Container']);
    const [web] = inline.documents.flatMap(({ resource }) => (resource.kind === 'Container' ? [resource] : []));
    assert.partialDeepStrictEqual(web?.spec.mounts[1], { mountPath: '/run/secrets/s', secret: { name: 'db', items: [{ key: 'db', path: 's' }] } });
  });

  test('what is wrong with one is told at it', async () => {
    assert.deepEqual(await problemsOf(`${used}configs: {c: {}}\nsecrets: {s: {content: hunter2}}\n`), [
      'compose.yaml:2:14 configs.c: says not where it is (write file: ./path)',
      'compose.yaml:3:15 secrets.s.content: is for configs: a secret is in no compose file (write file: or environment:)',
    ]);
    assert.deepEqual(await problemsOf(`${used}configs: {c: {file: ./none}}\nsecrets: {s: {environment: S}}\n`), [
      'compose.yaml:2:21 configs.c.file: there is no file /srv/shop/none (make it)',
      'compose.yaml:3:28 secrets.s.environment: the variable S is not set (set it in .env beside the file)',
    ]);
    assert.deepEqual(await problemsOf(`services: {web: {image: a, configs: [{source: c, mode: 288}]}}\nconfigs: {c: {content: x}}\n`), [
      'compose.yaml:1:56 services.web.configs[0].mode: is a number, of which nobody sees whether it is octal (write it in octal and in quotes: "0440")',
    ]);
  });
});

describe('several files and documents', () => {
  test('anchors, merge keys and x- fields', async () => {
    const spec = await specOf('x-a: &a {restart: always, environment: &e {A: "1", B: "1"}}\nservices:\n  web:\n    <<: *a\n    image: a\n    environment: {<<: *e, B: "2"}\n    x-note: anything\n');
    assert.equal(spec.restartPolicy, 'Always');
    assert.deepEqual(spec.env, [{ name: 'B', value: '2' }, { name: 'A', value: '1' }]);
  });

  const OVERRIDE = 'services:\n  web:\n    command: b\n    environment: {B: 2, C: 3}\n    ports: ["81:81"]\n    volumes: ["./other:/data"]\n    labels: [x=y]\n';
  const BASE = service('command: [a]\nenvironment: [A=1, B=1]\nports: ["80:80"]\nvolumes: ["./data:/data", "./x:/x"]');
  for (const [what, text, beside] of [
    ['an override file beside it', BASE, { 'compose.override.yaml': OVERRIDE }],
    ['a further document', `${BASE}---\n${OVERRIDE}`, {}],
    ['extends', `services:\n  web:\n    extends: {file: base.yaml, service: web}\n${OVERRIDE.split('\n').slice(2).join('\n')}`, { 'base.yaml': BASE }],
  ] as const) {
    test(`${what} lies over it: texts and commands replace, mappings merge, lists lengthen, mounts go by their target`, async () => {
      const spec = await specOf(text, beside);
      assert.deepEqual(spec.args, ['b']);
      assert.deepEqual(spec.env.map(({ name, value }) => `${name}=${value}`), ['A=1', 'B=2', 'C=3']);
      assert.deepEqual(spec.ports.map(({ hostPort }) => hostPort), [80, 81]);
      assert.deepEqual(spec.mounts.map(({ mountPath, bind }) => [mountPath, bind?.source]), [['/x', '/srv/shop/x'], ['/data', '/srv/shop/other']]);
    });
  }

  test('what an override file says more of, is of the compose file all the same', async () => {
    const { documents } = await compose(service(''), { 'compose.override.yaml': 'services: {web: {tty: true}, more: {image: a}}' });
    assert.deepEqual(documents.map(({ at, name }) => `${name} ${at}`), ['default/shop-default compose.yaml:1:1', 'default/shop-web-1 compose.yaml:2:3', 'default/shop-more-1 compose.yaml:1:1']);
  });

  test('a build that is one text, over one that is a mapping', async () => {
    const spec = await specOf(service('build: {context: a, target: t}'), { 'compose.override.yaml': 'services: {web: {build: ./b}}' });
    assert.partialDeepStrictEqual(spec.build, { context: '/srv/shop/b', target: 't' });
    assert.equal((await specOf(service('build: a'), { 'compose.override.yaml': 'services: {web: {build: b}}' })).build?.context, '/srv/shop/b');
  });

  test('paths in a file that is extended begin at its own folder, and so do its mistakes', async () => {
    const web = 'services: {web: {extends: {file: deep/base.yaml, service: base}}}';
    const spec = await specOf(web, { 'deep/base.yaml': 'services: {base: {image: a, volumes: ["./x:/x"], env_file: e}}', 'deep/e': 'A=1' });
    assert.equal(spec.mounts[0]?.bind?.source, '/srv/shop/deep/x');
    assert.deepEqual(spec.env, [{ name: 'A', value: '1' }]);
    assert.deepEqual(await problemsOf(web, { 'deep/base.yaml': 'services: {base: {image: a, cpu: 1}}' }), ['deep/base.yaml:1:29 services.base.cpu: unknown field (did you mean cpus?)']);
    assert.deepEqual(await problemsOf(web), ['compose.yaml:1:34 services.web.extends.file: there is no file /srv/shop/deep/base.yaml']);
  });

  test('a circle of extends is shown', async () => {
    const [first] = await problemsOf('services: {a: {extends: b}, b: {extends: {service: c}}, c: {extends: a, image: c}}');
    assert.equal(first, 'compose.yaml:1:25 services.a.extends: extends itself: b of compose.yaml → c of compose.yaml → a of compose.yaml → b of compose.yaml (break the circle)');
  });

  test('profiles', async () => {
    const text = 'services: {a: {image: a}, b: {image: b, profiles: [debug, x]}, c: {image: c, profiles: [test]}}';
    assert.deepEqual(await names(text), ['Network shop-default', 'Container shop-a-1']);
    assert.deepEqual(await names(text, { '.env': 'COMPOSE_PROFILES=debug,other' }), ['Network shop-default', 'Container shop-a-1', 'Container shop-b-1']);
    assert.match((await problemsOf('services: {a: {image: a, depends_on: [b]}, b: {image: b, profiles: [x]}}'))[0] ?? '', /left out by its profiles/);
  });

  test('variables in every text, none in keys', async () => {
    const spec = await specOf(service('environment: {"$A": "${A}"}\nports: ["${PORT}:80"]\ndeploy: {replicas: "${N}"}'), { '.env': 'A=a\nPORT=8080\nN=1\n' });
    assert.deepEqual(spec.env, [{ name: '$A', value: 'a' }]);
    assert.equal(spec.ports[0]?.hostPort, 8080);
  });
});

describe('never throws', () => {
  const word = fc.constantFrom('services', 'web', 'image', 'build', 'environment', 'ports', 'volumes', 'networks', 'extends', 'deploy', 'resources', 'limits', 'healthcheck', 'depends_on', 'a', '80:80', './x:/x', '${X', '<<', 'default', '1', 'configs', 'source', 'target', 'type', 'bind', 'driver', 'file', 'labels', 'ulimits', 'logging', 'options');
  const value = fc.letrec((tie) => ({
    value: fc.oneof({ depthSize: 'small' }, word, fc.constant(null), fc.integer(), fc.boolean(), fc.array(tie('value'), { maxLength: 3 }), fc.dictionary(word, tie('value'), { maxKeys: 4 })),
  })).value;

  test('on files of any shape', () =>
    fc.assert(
      fc.asyncProperty(fc.dictionary(word, value, { maxKeys: 6 }), fc.dictionary(word, value, { maxKeys: 4 }), async (web, other) => {
        const { problems } = await compose(stringify({ services: { web, other: { image: 'a', ...other } }, ...other }), { 'compose.override.yaml': stringify({ services: { web: other } }) });
        for (const { at, message } of problems) {
          assert.match(at, /^compose(\.override)?\.yaml:\d+:\d+$/);
          assert.ok(message.length < 1000);
        }
      }),
      { numRuns: 1000 },
    ));

  test('on arbitrary text', () => fc.assert(fc.asyncProperty(fc.string({ maxLength: 300 }), async (text) => void (await compose(text, { '.env': text }))), { numRuns: 500 }));
});
