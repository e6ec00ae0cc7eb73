/** A daemon's engine that makes, starts and removes containers on the bridge until it is killed. Arguments: root folder, instance. */
import { runningEngine } from './killable-engine.ts';
import { containerOf } from '../engine/support.ts';

const [root = '', instance = ''] = process.argv.slice(2);
const { engine } = await runningEngine(root, instance);
process.stdout.write('ready\n');

async function churn(worker: number): Promise<never> {
  for (let round = 0; ; round++) {
    const name = `churn-${worker}-${process.pid}-${round}`;
    const ports = [{ containerPort: 80, hostPort: 28_200 + worker }];
    const id = await engine.create(containerOf(name, { command: ['sleep', 'infinity'], network: { mode: 'Bridge' }, ports }), 'hash');
    await engine.start(id);
    await engine.kill(id);
    while ((await engine.observe(`default/${name}` as Parameters<typeof engine.observe>[0]))?.process.state !== 'Exited');
    await engine.remove(id);
  }
}

await Promise.all([churn(0), churn(1)]);
