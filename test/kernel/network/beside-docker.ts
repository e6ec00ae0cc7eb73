/** In a network namespace of its own: a container on the bridge beside the firewall that Docker leaves, and what becomes of that. Prints one JSON line. */
import { until } from '../../support/until.ts';
import { driftOf, openNetworkNode, removeContainer, restoreNetwork, run, startOn } from './support.ts';

const list = async (): Promise<string> => (await run('nft', ['list', 'chain', 'ip', 'filter', 'DOCKER-USER'])).stdout;

await run('ip', ['link', 'set', 'lo', 'up']);
await run('nft', ['add table ip filter; add chain ip filter DOCKER-USER; add rule ip filter DOCKER-USER counter return; add chain ip filter FORWARD { type filter hook forward priority 0; policy drop; }; add rule ip filter FORWARD jump DOCKER-USER']);
const before = await list();
const node = await openNetworkNode();
const web = await startOn(node, 'web');
const during = await list();
await run('nft', ['flush', 'chain', 'ip', 'filter', 'DOCKER-USER']);
await until('the drift is found', async () => (await driftOf(node, web.name)).some((each) => each.includes("Docker's firewall")), 5);
await restoreNetwork(node, web.name);
const restored = await list();
await run('nft', ['add rule ip filter DOCKER-USER counter return']);
await removeContainer(node, web);
process.stdout.write(JSON.stringify({ before, during, restored, after: await list() }));
await node.close();
