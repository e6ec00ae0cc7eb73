/**
 * A daemon's engine that makes, starts, moves and removes containers and networks until it is killed; waits for a line before it begins. Arguments: root folder,
 * instance, the built native part.
 */
import { once } from 'node:events';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { containerDocument, networkOf } from './documents.ts';
import { runningEngine } from './killable-engine.ts';

const [root = '', instance = '', native = ''] = process.argv.slice(2);
process.stdout.write('loaded\n');
await once(process.stdin, 'data');
const { engine } = await runningEngine(root, instance, path.resolve(native));
process.stdout.write('ready\n');

type Name = Parameters<typeof engine.observe>[0];

async function round(name: string, networks: readonly string[], port: number): Promise<void> {
  const document = (...attached: readonly string[]) => containerDocument(name, { command: ['sleep', 'infinity'], network: { mode: 'Bridge', networks: attached.map((network) => ({ name: network })) }, ports: [{ containerPort: 80, hostPort: port }, { containerPort: 53, hostPort: port, protocol: 'UDP' }] });
  const id = await engine.create(document(...networks), 'hash');
  await engine.start(id);
  await engine.update(id, document('default', ...networks.filter((each) => each !== 'default')), 'another');
  await remove(id, `default/${name}` as Name);
}

async function remove(id: Parameters<typeof engine.kill>[0], name: Name): Promise<void> {
  await engine.kill(id);
  while (['Running', 'Creating'].includes((await engine.observe(name))?.process.state ?? '')) await sleep(2);
  await engine.remove(id);
}

async function churn(worker: number): Promise<never> {
  for (let n = 0; ; n++) {
    const name = `churn-${worker}-${process.pid}-${n}`;
    if (worker === 0) {
      await round(name, ['default'], 28_200);
    } else {
      await engine.networks.ensure(networkOf(name));
      await round(name, [name], 28_201);
      await engine.networks.remove(`default/${name}` as Parameters<typeof engine.networks.remove>[0]);
    }
  }
}

// What the daemon before this one was killed in the middle of.
for (const { id, name } of engine.list()) if (name !== 'default/kept') await remove(id, name);
for (const network of engine.networks.list()) if (network !== 'default/keep') await engine.networks.remove(network);
await Promise.all([churn(0), churn(1)]);
