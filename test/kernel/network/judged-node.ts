/**
 * In a network namespace of its own: a container whose ports are published under the node's input rules, which change. Prints one JSON line: for each step, what
 * answers from the outside (`seen`), and from the node and a neighbour (`near`). Argument: what is to be seen, by step, as JSON; for that it waits a while, since the
 * kernel's word of a change takes a moment.
 */
import { containerOf } from '../engine/support.ts';
import { ask, makeOutside, openNetworkNode, removeContainer, restoreNetwork, run, serve, startOn, tracesOf } from './support.ts';

const PORT = 8080;
const OPEN = 28_400;
const ALWAYS = 28_401;

process.env['ECHO_PATIENCE_MS'] = '1200'; // most of the answers that are asked for do not come
await run('ip', ['link', 'set', 'lo', 'up']);
const node = await openNetworkNode();
const outside = await makeOutside();
using servers = new DisposableStack();
const ports = [
  { containerPort: PORT, hostPort: OPEN },
  { containerPort: PORT, protocol: 'UDP', hostPort: OPEN },
  { containerPort: PORT + 1, hostPort: ALWAYS, expose: 'Always' },
];
const nft = (rules: string): string => `nft -f - <<'E'\n${rules}\nE`;
const input = (...rules: string[]): string => nft(`table inet filter {\n chain input {\n type filter hook input priority filter; policy drop;\n ct state established,related accept\n iifname "lo" accept\n meta l4proto ipv6-icmp accept\n${rules.join('\n')}\n}\n}`);
const steps: readonly (readonly [string, string])[] = [
  ['no rules', 'true'],
  ['a policy of drop', input('tcp dport 22 accept')],
  ['a rule for the port', nft(`add rule inet filter input tcp dport ${OPEN} accept`)],
  ['a rule for others', `nft delete table inet filter; ${input(`ip saddr 203.0.113.0/24 tcp dport ${OPEN} accept`)}`],
  ['a chain, a verdict map and a set', nft(`delete table inet filter\ntable inet filter {\n set bad {\n type ipv4_addr\n elements = { ${outside.v4} }\n }\n map ways {\n type inet_proto : verdict\n elements = { tcp : jump web, udp : drop }\n }\n chain web {\n ip saddr @bad reject\n tcp dport ${OPEN} accept\n }\n chain input {\n type filter hook input priority filter - 5; policy drop;\n ct state established accept\n meta l4proto ipv6-icmp accept\n meta l4proto vmap @ways\n }\n}`)],
  ['an element less', nft(`delete element inet filter bad { ${outside.v4} }`)],
  ['iptables', `nft delete table inet filter; iptables -P INPUT DROP; ip6tables -P INPUT DROP; ip6tables -A INPUT -p ipv6-icmp -j ACCEPT; iptables -A INPUT -m conntrack --ctstate ESTABLISHED -j ACCEPT; ip6tables -A INPUT -m conntrack --ctstate ESTABLISHED -j ACCEPT; iptables -N web; iptables -A INPUT -m conntrack --ctstate NEW -j web; iptables -A web -p tcp -m multiport --dports 1,${OPEN} -j ACCEPT`],
  ['a match that nobody can read, to accept', `iptables -F web; iptables -A web -p tcp -m string --algo bm --string x -j ACCEPT`],
  ['the same to drop', `iptables -F web; iptables -P INPUT ACCEPT; ip6tables -P INPUT ACCEPT; iptables -A web -p udp -m string --algo bm --string x -j DROP`],
  ['a rule that only input can have', nft(`flush ruleset ip\nflush ruleset ip6\ntable inet filter {\n chain input {\n type filter hook input priority filter; policy accept;\n tcp dport 1 synproxy mss 1460 wscale 7\n }\n}`)],
  ['no rules again', 'nft delete table inet filter'],
];

const expected = JSON.parse(process.argv[2] ?? '{}') as Readonly<Record<string, string>>;
const web = await startOn(node, 'web', ports);
const peer = await startOn(node, 'peer');
await Promise.all([serve(servers, web, PORT), serve(servers, web, PORT + 1)]);
const far = { tcp4: `tcp://${outside.node.v4}:${OPEN}`, udp4: `udp://${outside.node.v4}:${OPEN}`, tcp6: `tcp://[${outside.node.v6}]:${OPEN}`, always: `tcp://${outside.node.v4}:${ALWAYS}` };

async function answers(place: Parameters<typeof ask>[0]): Promise<string> {
  const said = await ask(place, ...Object.values(far));
  return Object.entries(far).flatMap(([name, target]) => (said[target] === 'none' ? [] : [name])).join(' ');
}

const told: Record<string, { readonly seen: string; readonly near: readonly string[]; readonly exposure?: string }> = {};
for (const [name, script] of steps) {
  await run('sh', ['-ec', script]);
  const [first, ...near] = await Promise.all([answers(outside.place), answers('node'), answers(peer)]);
  let seen = first;
  for (let again = 0; again < 8 && seen !== expected[name]; again++) seen = await answers(outside.place);
  const exposure = (await node.engine.observe(web.name))?.exposure ?? '';
  told[name] = { seen, near, exposure };
}
// In place, from one to the other.
await run('sh', ['-ec', input()]);
await restoreNetwork(node, web.name, containerOf('web', { command: ['sleep', 'infinity'], network: { mode: 'Bridge' }, ports: ports.map((port) => ({ ...port, expose: 'Always' })) }));
told['changed to Always'] = { seen: await answers(outside.place), near: [] };
for (const each of [web, peer]) await removeContainer(node, each);
process.stdout.write(JSON.stringify({ told, traces: await tracesOf(node) }));
await outside[Symbol.asyncDispose]();
await node.close();
