/** In a network namespace of its own: a container's port on the node's `::1`, while the kernel filters IPv6 on bridges and while it does not. Prints one JSON line. */
import { writeFile } from 'node:fs/promises';
import { messageOf } from '../../../src/lib/errors.ts';
import { ask, openNetworkNode, removeContainer, run, serve, startOn } from './support.ts';

const PORT = 8080;
const OPEN = 28_700;
const SWITCH = '/proc/sys/net/bridge/bridge-nf-call-ip6tables';

await run('ip', ['link', 'set', 'lo', 'up']);
const node = await openNetworkNode();
using servers = new DisposableStack();
const own = { containerPort: PORT, hostPort: OPEN + 1, hostIP: '::1' };
const targets = ['tcp', 'udp'].map((protocol) => `${protocol}://[::1]:${OPEN}`);

await writeFile(SWITCH, '1').catch(() => {}); // no br_netfilter: nothing is filtered
const refused = await startOn(node, 'refused', [own]).then(() => '', messageOf);
await writeFile(SWITCH, '0').catch(() => {});
const web = await startOn(node, 'web', [{ containerPort: PORT, hostPort: OPEN }, { containerPort: PORT, protocol: 'UDP', hostPort: OPEN }, { ...own, containerPort: PORT + 1 }]);
await Promise.all([serve(servers, web, PORT), serve(servers, web, PORT + 1)]);
const answers = await ask('node', ...targets, `tcp://[::1]:${OPEN + 1}`);
await removeContainer(node, web);
process.stdout.write(JSON.stringify({ refused, answers: Object.values(answers) }));
await node.close();
