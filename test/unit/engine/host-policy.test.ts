import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { exposureOf } from '../../../src/engine/network/exposure.ts';
import { closedPolicy, hostPolicyOf, OPEN_POLICY } from '../../../src/engine/network/host-policy.ts';
import type { PublishedPort } from '../../../src/engine/network/published-port.ts';

const table = (family: 'ip' | 'ip6' | 'inet', name: string, body: string) => ({ family, name, text: `table ${family} ${name} {\n${body}}\n` });
const chain = (name: string, ...lines: readonly string[]): string => `\tchain ${name} {\n${lines.map((line) => `\t\t${line}\n`).join('')}\t}\n\n`;
const HEAD = 'type filter hook input priority filter; policy drop;';
/** The lines of a chain of the policy. */
const linesOf = (text: string, name: string): string[] => (new RegExp(`chain ${name} \\{\\n(.*?)\\n {2}\\}`, 's').exec(text)?.[1] ?? '').split('\n').map((line) => line.trim());

describe("the node's input rules, said once more", () => {
  it('are none where there are none', () => {
    assert.equal(hostPolicyOf([]), OPEN_POLICY);
    assert.equal(hostPolicyOf([table('ip', 'nat', chain('post', 'type nat hook postrouting priority srcnat; policy accept;', 'masquerade'))]), OPEN_POLICY);
  });

  it('keep their order, their policies and what they lead to, under names of ours', () => {
    const filter = table(
      'inet',
      'filter',
      '\tset bad {\n\t\ttype ipv4_addr\n\t\tflags timeout\n\t\telements = { 10.0.0.1 timeout 1h expires 59m3s }\n\t}\n\n' +
        chain('web', 'ip saddr @bad drop', 'return') +
        chain('unused', 'accept') +
        chain('input', 'type filter hook input priority filter + 10; policy accept;', 'tcp dport vmap { 22 : accept, 80 : jump web }', 'log prefix "jump web @bad"') +
        chain('forward', 'type filter hook forward priority filter; policy drop;'),
    );
    const { text, chains, unread } = hostPolicyOf([filter, table('ip', 'early', chain('first', 'type filter hook input priority -5; policy drop;', 'accept'))]);
    assert.deepEqual([chains, unread], [['ip early first, policy drop', 'inet filter input, policy accept'], []]);
    assert.deepEqual(linesOf(text, 'host1-first'), ['type filter hook prerouting priority -139; policy drop;', 'meta nfproto != ipv4 accept', 'jump judge', 'accept']);
    assert.deepEqual(linesOf(text, 'host0-input'), ['type filter hook prerouting priority -138; policy accept;', 'jump judge', 'tcp dport vmap { 22 : accept, 80 : jump host0-web }', 'log prefix "jump web @bad"']);
    assert.deepEqual(linesOf(text, 'host0-web'), ['ip saddr @host0-bad drop', 'return']);
    assert.match(text, /set host0-bad \{\n\s+type ipv4_addr\n\s+flags timeout\n\s+elements = \{ 10\.0\.0\.1 timeout 1h \}/);
    assert.ok(!/unused|forward/.test(text));
  });

  it('are taken strictly where nobody can read them: what lets in does not, what refuses does', () => {
    const rules = [
      'xt match recent counter accept',
      'tcp dport 22 xt match set counter drop',
      'xt match hashlimit counter jump out',
      'xt match hashlimit counter jump in',
      'xt match recent counter',
      'counter accept',
    ];
    const { text, unread } = hostPolicyOf([table('ip', 'filter', chain('INPUT', HEAD, ...rules) + chain('out', 'counter reject') + chain('in', 'counter accept'))]);
    assert.deepEqual(linesOf(text, 'host0-INPUT').slice(3), ['tcp dport 22 counter drop', 'counter jump host0-out', 'counter accept']);
    assert.deepEqual(unread, rules.slice(0, 4).map((rule) => `ip filter INPUT: ${rule}`));
  });

  it('shut all where the kernel does not take them', () => {
    const { text, chains, unread } = closedPolicy(hostPolicyOf([table('ip', 'filter', chain('INPUT', HEAD))]), 'no synproxy here');
    assert.deepEqual([linesOf(text, 'host-closed').slice(1), chains, unread], [['jump judge', 'drop'], ['ip filter INPUT, policy drop'], ['no synproxy here']]);
  });
});

it('who reaches a port is said in words', () => {
  const port = (parts: Partial<PublishedPort>): PublishedPort => ({ protocol: 'tcp', hostIP: undefined, hostPort: 80, containerPort: 80, count: 1, judged: true, ...parts });
  assert.equal(exposureOf([], OPEN_POLICY), undefined);
  assert.equal(exposureOf([port({})], OPEN_POLICY), '80/tcp to whom the node lets in, and it has no input rules');
  const policy = { text: '', chains: ['ip filter INPUT, policy drop'], unread: [] };
  assert.equal(exposureOf([port({}), port({ hostPort: 53, protocol: 'udp', judged: false })], policy), "80/tcp to whom the node's input rules let in (ip filter INPUT, policy drop). 53/udp to everybody, past the node's input rules");
});
