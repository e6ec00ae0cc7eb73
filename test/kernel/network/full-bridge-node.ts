/** In a network namespace of its own: a container on a bridge that has no port left. Prints one JSON line: what it is told, and whether it starts once there is one. */
import { messageOf } from '../../../src/lib/errors.ts';
import { bridgeName } from '../../../src/engine/network/network-names.ts';
import { openNetworkNode, removeContainer, run, startOn, tracesOf } from './support.ts';

const PORTS = 1023;

await run('ip', ['link', 'set', 'lo', 'up']);
const node = await openNetworkNode();
const first = await startOn(node, 'first');
const bridge = bridgeName(node.instance);
// Both ends of a pair; one port is the container's.
const pairs = Array.from({ length: (PORTS - 1) / 2 }, (_, n) => `link add a${n} master ${bridge} type veth peer name b${n}\nlink set b${n} master ${bridge}\n`);
await run('sh', ['-ec', `printf '%s' "$1" | ip -batch -`, 'fill', pairs.join('')]);
const refused = await startOn(node, 'last').then(() => '', messageOf);
await run('ip', ['link', 'del', 'a0']);
const [last] = await Promise.all(node.engine.list().filter(({ name }) => name === 'default/last').map(async ({ id, name }) => node.engine.start(id).then(() => ({ id, name }))));
const runs = last && (await node.engine.observe(last.name))?.process.state;
for (const each of [first, ...(last ? [last] : [])]) await removeContainer(node, each);
process.stdout.write(JSON.stringify({ refused, runs, traces: await tracesOf(node) }));
await node.close();
