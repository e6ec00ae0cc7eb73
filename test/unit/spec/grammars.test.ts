import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { MooringError } from '../../../src/lib/errors.ts';
import { CAPABILITIES, CAPABILITY_UPPER_PATTERN, canonicalCapability } from '../../../src/spec/capability.ts';
import { DNS_LABEL, DNS_SUBDOMAIN, ENV_NAME, LABEL_VALUE, PORT_NAME, parseQualifiedName } from '../../../src/spec/kubernetes-names.ts';
import { type Grammar, matching } from '../../../src/spec/grammar.ts';
import { parsePath } from '../../../src/spec/path.ts';
import { canonicalSignal, parseSignal, SIGNAL_UPPER_PATTERN } from '../../../src/spec/signal.ts';
import { parseUser } from '../../../src/spec/user.ts';

const invalid = (error: unknown) => error instanceof MooringError && error.code === 'Invalid';

function check(parse: (text: string) => unknown, good: readonly string[], bad: readonly string[]): void {
  for (const text of good) test(JSON.stringify(text.slice(0, 40)), () => assert.doesNotThrow(() => parse(text)));
  for (const text of bad) test(`refuses ${JSON.stringify(text.slice(0, 40))}`, () => assert.throws(() => parse(text), invalid));
}

const by = (grammar: Grammar) => (text: string) => matching(grammar, text);

describe('DNS labels', () => check(by(DNS_LABEL), ['a', '0', 'a-b', 'a--b', 'a'.repeat(63)], ['', '-a', 'a-', 'A', 'a.b', 'a_b', 'a\n', 'ä', 'a'.repeat(64)]));
describe('DNS names', () => check(by(DNS_SUBDOMAIN), ['a', 'a.b', '0.1', 'a-b.c', 'a'.repeat(253)], ['', '.', 'a.', '.a', 'a..b', 'a.-b', 'A.b', 'a'.repeat(254)]));
describe('port names', () => check(by(PORT_NAME), ['a', 'http', '80a', 'a-1', '1-a', 'a1-b2-c3', '1-2-c'], ['', '80', '1-2', '-a', 'a-', 'a--b', 'HTTP', 'a_b', 'a'.repeat(16)]));
describe('variable names', () => check(by(ENV_NAME), ['A', 'my.var', '1', 'with space', '~'], ['', 'A=B', 'a\tb', 'ä', 'a\0']));
describe('label values', () => check(by(LABEL_VALUE), ['', 'a', 'A.b_c-D', '1'], ['-a', 'a-', 'a b', 'a/b', 'a'.repeat(64)]));
describe('qualified names', () =>
  check(parseQualifiedName, ['a', 'app.kubernetes.io/name', 'a/B_c.d-E', `${'a'.repeat(253)}/${'b'.repeat(63)}`], ['', '/a', 'a/', 'a/b/c', '-a', 'A.b/c', 'a b', `a/${'b'.repeat(64)}`, `${'a'.repeat(254)}/b`]));
describe('paths', () =>
  check(parsePath, ['/', '/a', '/a/b', '/...', '/.a', '/..a', '/a b', '/ä', '/a.'], ['', 'a', './a', '/a/', '//', '//a', '/a//b', '/.', '/..', '/a/.', '/a/./b', '/a/../b', '/../a', '/a\0b', `/${'a'.repeat(4095)}`]));
describe('users', () =>
  check(parseUser, ['0', '1000:1000', 'www-data', 'www-data:33', '0:adm', '_apt', 'svc$', '2147483647'], ['', ':', 'a:', ':a', 'a:b:c', '-1', '2147483648', '0:4294967295', 'a b', 'a\n', '1a']));

test('users have their parts', () => {
  assert.deepEqual(parseUser('1000'), { user: { id: 1000 } });
  assert.deepEqual(parseUser('www-data:33'), { user: { name: 'www-data' }, group: { id: 33 } });
});

describe('signals', () => {
  const canonical: [string, string, number][] = [
    ['SIGTERM', 'SIGTERM', 15], ['term', 'SIGTERM', 15], ['15', 'SIGTERM', 15], ['SigKill', 'SIGKILL', 9], ['CLD', 'SIGCHLD', 17], ['SIGPOLL', 'SIGIO', 29],
    ['RTMIN', 'SIGRTMIN', 34], ['34', 'SIGRTMIN', 34], ['SIGRTMIN+3', 'SIGRTMIN+3', 37], ['37', 'SIGRTMIN+3', 37], ['SIGRTMAX', 'SIGRTMIN+30', 64], ['sigrtmax-30', 'SIGRTMIN', 34],
  ];
  for (const [text, name, number] of canonical) {
    test(text, () => {
      assert.equal(canonicalSignal(text), name);
      assert.equal(parseSignal(text), number);
      assert.equal(parseSignal(name), number);
    });
  }
  check(canonicalSignal, [], ['', '0', '-1', '32', '33', '65', '015', 'SIG', 'SIG15', 'SIGFOO', 'SIGRTMIN+31', 'SIGRTMIN-1', 'SIGRTMAX+1', 'SIGRTMAX-31', 'TERM ', 'constructor', '__proto__']);

  test("the CRD's pattern accepts exactly what the parser does", () => {
    const pattern = new RegExp(SIGNAL_UPPER_PATTERN);
    const texts = Array.from({ length: 70 }, (_, number) => [`${number}`, `SIGRTMIN+${number}`, `RTMAX-${number}`]).flat();
    for (const text of [...texts, 'TERM', 'SIGTERM', 'SIG15', 'SIGIOT', 'FOO', 'RTMIN-1', '']) assert.equal(pattern.test(text), accepts(canonicalSignal, text), text);
  });
});

describe('capabilities', () => {
  test('any case, with or without the prefix', () => {
    for (const text of ['NET_ADMIN', 'net_admin', 'CAP_NET_ADMIN', 'cap_Net_Admin']) assert.equal(canonicalCapability(text), 'CAP_NET_ADMIN');
    assert.equal(canonicalCapability('all'), 'ALL');
  });
  check(canonicalCapability, CAPABILITIES, ['', 'CAP_', 'CAP_ALL', 'NET', 'CAP_CAP_CHOWN', ' CHOWN']);

  test("the CRD's pattern accepts exactly what the parser does", () => {
    for (const text of [...CAPABILITIES, 'CAP_CHOWN', 'ALL', 'CAP_ALL', 'NET', '']) assert.equal(new RegExp(CAPABILITY_UPPER_PATTERN).test(text), accepts(canonicalCapability, text), text);
  });
});

function accepts(parse: (text: string) => unknown, text: string): boolean {
  try {
    parse(text);
    return true;
  } catch (error) {
    if (invalid(error)) return false;
    throw error;
  }
}
