import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { dockerSeccomp, type SeccompGround } from '../../../src/engine/containers/docker-seccomp.ts';

const GROUND: SeccompGround = { capabilities: new Set(['CAP_CHOWN', 'CAP_SYS_ADMIN']), arch: 'x64', kernelRelease: '5.10.0-28-amd64' };

const read = (profile: unknown, ground = GROUND) => dockerSeccomp(typeof profile === 'string' ? profile : JSON.stringify(profile), 'seccomp profile /p.json', ground);
const namesOf = (profile: unknown, ground = GROUND) => read(profile, ground).syscalls.flatMap(({ names }) => names);

describe("a seccomp profile in Docker's format", () => {
  it('keeps actions, error numbers, flags and arguments', () => {
    assert.deepEqual(
      read({
        defaultAction: 'SCMP_ACT_ERRNO',
        defaultErrnoRet: 38,
        flags: ['SECCOMP_FILTER_FLAG_LOG'],
        syscalls: [{ names: ['socket'], action: 'SCMP_ACT_ALLOW', args: [{ index: 0, value: 40, valueTwo: 0, op: 'SCMP_CMP_NE' }], comment: '', includes: {}, excludes: {} }],
      }),
      {
        defaultAction: 'SCMP_ACT_ERRNO',
        defaultErrnoRet: 38,
        flags: ['SECCOMP_FILTER_FLAG_LOG'],
        syscalls: [{ names: ['socket'], action: 'SCMP_ACT_ALLOW', args: [{ index: 0, value: 40, valueTwo: 0, op: 'SCMP_CMP_NE' }] }],
      },
    );
  });

  it("has the machine's architectures of its map", () => {
    const archMap = [
      { architecture: 'SCMP_ARCH_X86_64', subArchitectures: ['SCMP_ARCH_X86', 'SCMP_ARCH_X32'] },
      { architecture: 'SCMP_ARCH_AARCH64', subArchitectures: ['SCMP_ARCH_ARM'] },
    ];
    const profile = { defaultAction: 'SCMP_ACT_ALLOW', archMap, syscalls: null };
    assert.deepEqual(read(profile).architectures, ['SCMP_ARCH_X86_64', 'SCMP_ARCH_X86', 'SCMP_ARCH_X32']);
    assert.deepEqual(read(profile, { ...GROUND, arch: 'arm64' }).architectures, ['SCMP_ARCH_AARCH64', 'SCMP_ARCH_ARM']);
    assert.deepEqual(read({ defaultAction: 'SCMP_ACT_ALLOW', architectures: ['SCMP_ARCH_X86'] }).architectures, ['SCMP_ARCH_X86']);
  });

  it('leaves out the rules that are for other machines, kernels and capabilities', () => {
    const rule = (name: string, condition: object) => ({ names: [name], action: 'SCMP_ACT_ALLOW', ...condition });
    const profile = {
      defaultAction: 'SCMP_ACT_ERRNO',
      syscalls: [
        rule('chroot', { includes: { caps: ['CAP_SYS_CHROOT'] } }),
        rule('mount', { includes: { caps: ['CAP_SYS_ADMIN'] } }),
        rule('clone', { excludes: { caps: ['CAP_SYS_ADMIN', 'CAP_BPF'] } }),
        rule('bpf', { excludes: { caps: ['CAP_BPF'] } }),
        rule('arch_prctl', { includes: { arches: ['amd64', 'x32'] } }),
        rule('cacheflush', { includes: { arches: ['arm', 'arm64'] } }),
        rule('s390_pci', { excludes: { arches: ['amd64'] } }),
        rule('ptrace', { includes: { minKernel: '4.8' } }),
        rule('process_madvise', { includes: { minKernel: '5.11' } }),
        { name: 'old_form', action: 'SCMP_ACT_TRACE' },
      ],
    };
    assert.deepEqual(namesOf(profile), ['mount', 'bpf', 'arch_prctl', 'ptrace', 'old_form']);
    assert.ok(namesOf(profile, { ...GROUND, kernelRelease: '6.1.0' }).includes('process_madvise'));
  });

  it('says what is wrong with it', () => {
    assert.throws(() => read('{'), { code: 'Invalid', message: 'seccomp profile /p.json is not JSON' });
    assert.throws(() => read({ syscalls: [] }), { code: 'Invalid', message: /^seccomp profile \/p\.json is no seccomp profile: defaultAction: / });
    assert.throws(() => read({ defaultAction: 'SCMP_ACT_ALLOW', syscalls: [{ name: 'a', names: ['b'], action: 'SCMP_ACT_ERRNO' }] }), /both name and names/);
  });
});
