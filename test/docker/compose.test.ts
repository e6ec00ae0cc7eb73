import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { type CompareOptions, onBothEngines } from './support/two-engines.ts';

const FILE = `version: "2.4"
services:
  db:
    image: busybox
    command: sh -c 'echo db is up; exec sleep 1000'
    volumes: ["data:/data"]
    networks: [back]
    labels: {role: db}
    stop_grace_period: 1s
  web:
    build: {context: ., args: {X: "5"}}
    command: sh -c 'cat /built; echo web is up; exec sleep 1000'
    depends_on: [db]
    networks: {back: {aliases: [front-of-it]}}
    environment: {A: b}
    stop_grace_period: 1s
  extra:
    image: busybox
    command: echo extra
    profiles: [more]
    networks: [back]
networks:
  back: {}
volumes:
  data: {}
`;

/** A bar that is drawn over and over, in colours. What is said of several containers at a time comes in no order. */
const said: CompareOptions = {
  command: 'docker-compose',
  anyOrder: true,
  also: (text) =>
    text
      .replaceAll('\u001B', '')
      .replace(/\[\d*[ABGKm]/g, '')
      .replace(/\r/g, '\n')
      .replace(/^(Sending build|Step| ---> |Removing intermediate|Successfully built).*\n/gm, '')
      .replace(/^.* \.\.\. *$\n/gm, '')
      .replace(/^\n/gm, '')
      .replace(/ +/g, ' '),
};

test('docker-compose: up, look, scale, change, down', onBothEngines(async (engines) => {
  const root = await mkdtemp(join(tmpdir(), 'mooring-compose-'));
  try {
    const folder = join(root, 'proj');
    await mkdir(folder);
    await writeFile(join(folder, 'docker-compose.yml'), FILE);
    await writeFile(join(folder, 'Dockerfile'), 'FROM busybox\nARG X=1\nRUN echo "built with $X" > /built\n');
    const at = ['--no-ansi', '-f', join(folder, 'docker-compose.yml')];
    const compose = (...words: string[]): Promise<unknown> => engines.same([...at, ...words], said);
    const seen = (...words: string[]): Promise<unknown> => engines.same(words, { anyOrder: true });
    await compose('up', '-d');
    await compose('ps');
    await seen('ps', '--format', '{{.Names}} {{.Image}} {{.State}}');
    await compose('up', '-d');
    await compose('logs', '--no-color');
    await compose('exec', '-T', 'web', 'sh', '-c', 'echo $A; nc -w 2 db 7 < /dev/null 2>&1 | grep -o refused');
    await compose('run', '--rm', 'db', 'echo', 'once');
    await compose('up', '-d', '--scale', 'web=2');
    await compose('stop', '-t', '1', 'web');
    await seen('ps', '-a', '--format', '{{.Names}} {{.State}}');
    await writeFile(join(folder, 'docker-compose.yml'), FILE.replace('A: b', 'A: changed'));
    await compose('up', '-d');
    await seen('exec', 'proj_web_1', 'sh', '-c', 'echo $A');
    await compose('--profile', 'more', 'up', '--no-color', 'extra');
    await compose('down', '-v', '--rmi', 'local');
    await seen('ps', '-a', '--format', '{{.Names}}');
    await seen('volume', 'ls', '-q');
    await seen('network', 'ls', '--filter', 'type=custom', '--format', '{{.Name}}');
  } finally {
    await rm(root, { recursive: true });
  }
}));
