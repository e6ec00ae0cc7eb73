import assert from 'node:assert/strict';
import path from 'node:path';
import { it } from 'node:test';

import { run } from './support.ts';

it("published ports are open to the outside as the node's own input rules have it, and follow them; near ones reach them always", { timeout: 120_000 }, async () => {
  // In a namespace of its own, where rules are in nobody's way.
  const all = 'tcp4 udp4 tcp6 always';
  const expected = {
    'no rules': all,
    'a policy of drop': 'always',
    'a rule for the port': 'tcp4 tcp6 always',
    'a rule for others': 'always',
    'a chain, a verdict map and a set': 'tcp6 always',
    'an element less': 'tcp4 tcp6 always',
    iptables: 'tcp4 always',
    'a match that nobody can read, to accept': 'always',
    'the same to drop': 'tcp4 tcp6 always',
    'a rule that only input can have': 'always',
    'no rules again': all,
    'changed to Always': all,
  };
  const { stdout } = await run('unshare', ['--net', process.execPath, path.join(import.meta.dirname, 'judged-node.ts'), JSON.stringify(expected)]);
  const { told, traces } = JSON.parse(stdout) as { readonly told: Record<string, { readonly seen: string; readonly near: readonly string[]; readonly exposure?: string }>; readonly traces: readonly string[] };
  assert.deepEqual(Object.fromEntries(Object.entries(told).map(([step, { seen }]) => [step, seen])), expected);
  for (const [step, { near }] of Object.entries(told)) assert.deepEqual(new Set(near), new Set(near.length > 0 ? [all] : []), step);
  assert.match(told['no rules']?.exposure ?? '', /^28400\/tcp, 28400\/udp to whom the node lets in, and it has no input rules\. 28401\/tcp to everybody/);
  assert.match(told['iptables']?.exposure ?? '', /\(ip filter INPUT, policy drop; ip6 filter INPUT, policy drop\)/);
  assert.match(told['a match that nobody can read, to accept']?.exposure ?? '', /taken strictly, since they can't be applied here: ip filter web: .*xt match string/);
  assert.deepEqual(traces, []);
});
