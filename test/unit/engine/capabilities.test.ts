import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { capabilitiesIn, grantedCapabilities } from '../../../src/engine/containers/capabilities.ts';
import { seccompProfile } from '../../../src/engine/containers/seccomp-profile.ts';

const everything = capabilitiesIn('1ffffffffff');
const granted = (add: string[] = [], drop: string[] = [], privileged = false, available = everything) => grantedCapabilities({ add, drop, privileged, available });

describe('capabilities', () => {
  it('are the fourteen of Docker by default', () => {
    assert.equal(granted().length, 14);
    assert.ok(granted().includes('CAP_NET_RAW'));
    assert.ok(!granted().includes('CAP_SYS_ADMIN'));
  });

  it('are added and dropped by name in any spelling', () => {
    assert.ok(granted(['net_admin']).includes('CAP_NET_ADMIN'));
    assert.ok(granted(['CAP_NET_ADMIN']).includes('CAP_NET_ADMIN'));
    assert.ok(!granted([], ['Chown']).includes('CAP_CHOWN'));
    assert.ok(!granted(['SYS_ADMIN'], ['SYS_ADMIN']).includes('CAP_SYS_ADMIN'));
  });

  it('know ALL on both sides', () => {
    assert.deepEqual(granted([], ['ALL']), []);
    assert.deepEqual(granted(['CHOWN'], ['ALL']), ['CAP_CHOWN']);
    assert.equal(granted(['ALL']).length, 41);
    assert.equal(granted(['ALL'], ['SYS_ADMIN', 'SYS_MODULE']).length, 39);
    assert.equal(granted([], ['ALL'], true).length, 41);
  });

  it('are no more than the host can give, and one asked for by name is an error', () => {
    const available = capabilitiesIn('1fffeffffff'); // without SYS_RESOURCE
    assert.equal(available.length, 40);
    assert.deepEqual(granted([], [], true, available), available);
    assert.deepEqual(granted(['ALL'], [], false, available), available);
    assert.throws(() => granted(['SYS_RESOURCE'], [], false, available), { code: 'Unsupported', message: /CAP_SYS_RESOURCE/ });
  });

  it('of unknown name are refused', () => {
    assert.throws(() => granted(['NET_ADMN']), { code: 'Invalid', message: /NET_ADMN/ });
  });
});

describe('the seccomp profile', () => {
  const allowed = (capabilities: readonly string[]) => new Set(seccompProfile(new Set(capabilities), 'x64').syscalls.flatMap((rule) => (rule.args || rule.action !== 'SCMP_ACT_ALLOW' ? [] : rule.names)));
  const rulesFor = (name: string, capabilities: readonly string[] = granted()) => seccompProfile(new Set(capabilities), 'x64').syscalls.filter((rule) => rule.names.includes(name));

  it('refuses by default what is dangerous', () => {
    const names = allowed(granted());
    for (const name of ['mount', 'unshare', 'setns', 'bpf', 'keyctl', 'add_key', 'init_module', 'kexec_load', 'io_uring_setup', 'userfaultfd', 'reboot', 'open_by_handle_at'])
      assert.ok(!names.has(name), name);
    for (const name of ['openat', 'execve', 'futex', 'clone', 'socket', 'chroot']) assert.equal(names.has(name), !['clone', 'socket'].includes(name), name);
  });

  it('lets processes be made, but no namespaces', () => {
    assert.deepEqual(rulesFor('clone'), [{ names: ['clone'], action: 'SCMP_ACT_ALLOW', args: [{ index: 0, value: 0x7e020000, valueTwo: 0, op: 'SCMP_CMP_MASKED_EQ' }] }]);
    assert.deepEqual(rulesFor('clone3'), [{ names: ['clone3'], action: 'SCMP_ACT_ERRNO', errnoRet: 38 }]);
  });

  it('opens with a capability what that is for', () => {
    const names = allowed(['CAP_SYS_ADMIN', 'CAP_SYS_PTRACE']);
    for (const name of ['mount', 'unshare', 'clone', 'clone3', 'kcmp']) assert.ok(names.has(name), name);
    assert.ok(!names.has('chroot'));
    assert.equal(rulesFor('clone3', ['CAP_SYS_ADMIN']).length, 1);
  });

  it('has every socket family but AF_ALG and AF_VSOCK', () => {
    const permits = (family: number) =>
      rulesFor('socket').some(({ args: [arg] = [] }) => {
        if (!arg) return true;
        if (arg.op === 'SCMP_CMP_LT') return family < arg.value;
        return arg.op === 'SCMP_CMP_GT' ? family > arg.value : family === arg.value;
      });
    const refused = Array.from({ length: 46 }, (_, family) => family).filter((family) => !permits(family));
    assert.deepEqual(refused, [38, 40]);
  });
});
