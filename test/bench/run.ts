/**
 * Runs the benches and writes docs/performance.md from the newest result of each topic.
 *
 *   node test/bench/run.ts             every topic
 *   node test/bench/run.ts start cli   these
 */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { errnoOf } from '../../src/lib/errors.ts';
import { performancePage } from './page.ts';
import type { Table } from './topic.ts';
import { buildsTopic } from './topics/builds.ts';
import { apiTopic } from './topics/api.ts';
import { changesTopic } from './topics/changes.ts';
import { cliTopic } from './topics/cli.ts';
import { imagesTopic } from './topics/images.ts';
import { crowdTopic } from './topics/crowd.ts';
import { networkCrowdTopic } from './topics/network-crowd.ts';
import { networkTopic } from './topics/network.ts';
import { logsTopic } from './topics/logs.ts';
import { restartTopic } from './topics/restart.ts';
import { scaleTopic } from './topics/scale.ts';
import { startTopic } from './topics/start.ts';

const topics: Readonly<Record<string, () => Promise<Table[]>>> = {
  start: startTopic,
  restart: restartTopic,
  scale: scaleTopic,
  crowd: crowdTopic,
  cli: cliTopic,
  api: apiTopic,
  logs: logsTopic,
  network: () => networkTopic(),
  'network-crowd': () => networkCrowdTopic(),
  images: imagesTopic,
  builds: buildsTopic,
  changes: changesTopic,
};

const results = fileURLToPath(new URL('results/', import.meta.url));
const page = fileURLToPath(new URL('../../docs/performance.md', import.meta.url));

const wanted = process.argv.length > 2 ? process.argv.slice(2) : Object.keys(topics);
await mkdir(results, { recursive: true });
for (const name of wanted) {
  const topic = topics[name];
  if (topic === undefined) {
    console.error(`no topic ${name}; there are ${Object.keys(topics).join(', ')}`);
    process.exit(2);
  }
  console.log(`measuring ${name} …`);
  await writeFile(`${results}${name}.json`, JSON.stringify({ measuredAt: new Date().toISOString(), tables: await topic() }, null, 2));
}

const measured = new Map<string, Table[]>();
for (const name of Object.keys(topics)) {
  try {
    const { tables } = JSON.parse(await readFile(`${results}${name}.json`, 'utf8')) as { tables: Table[] };
    measured.set(name, tables);
  } catch (thrown) {
    if (errnoOf(thrown) !== 'ENOENT') throw thrown;
  }
}
const text = await performancePage(measured);
await writeFile(page, text);
console.log(text);
