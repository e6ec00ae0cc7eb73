import { canonicalCapability } from '../../../spec/capability.ts';
import type { HostConfig } from './create-body.ts';
import { bad, unsupported } from './refusal.ts';
import type { SpecInput } from './spec-input.ts';

/** What the container is allowed to do beyond and below the usual. As under dockerd, programs may gain privileges unless that is forbidden. */
export function securityOf(host: HostConfig): SpecInput {
  return {
    privileged: host.Privileged,
    readOnlyRootFilesystem: host.ReadonlyRootfs,
    capabilities: capabilitiesOf(host),
    noNewPrivileges: false,
    ...(host.MaskedPaths && { maskedPaths: host.MaskedPaths }),
    ...(host.ReadonlyPaths && { readonlyPaths: host.ReadonlyPaths }),
    ...Object.assign({}, ...host.SecurityOpt.map(securityOption)),
  };
}

/** One of `--security-opt`: `no-new-privileges`, else a key and a value divided by `=`, or by `:` as of old. */
function securityOption(text: string): SpecInput {
  if (text === 'no-new-privileges') return { noNewPrivileges: true };
  if (text === 'systempaths=unconfined') return { maskedPaths: [], readonlyPaths: [] }; // clients say it in MaskedPaths and ReadonlyPaths
  const match = /^([a-z-]+)[=:](.*)$/s.exec(text);
  const [, key = '', value = ''] = match ?? [];
  switch (key) {
    case 'no-new-privileges':
      if (!/^(true|false|1|0)$/i.test(value)) throw bad(`invalid --security-opt 2: ${JSON.stringify(text)}`);
      return { noNewPrivileges: /^(true|1)$/i.test(value) };
    case 'apparmor':
      return { appArmorProfile: value };
    case 'seccomp':
      return { seccompProfile: seccompProfile(value) };
    case 'label':
      if (value !== 'disable') throw unsupported(`the SELinux label "${value}"`, 'leave it out: containers get no SELinux labels');
      return {};
    default:
      throw bad(`invalid --security-opt ${match === null ? 1 : 2}: ${JSON.stringify(text)}`);
  }
}

/** Clients send the text of the profile, not its place. */
function seccompProfile(value: string): NonNullable<SpecInput['seccompProfile']> {
  if (value === 'unconfined') return { type: 'Unconfined' };
  if (value === 'builtin') return { type: 'RuntimeDefault' };
  try {
    JSON.parse(value);
  } catch (error) {
    throw bad(`Decoding seccomp profile failed: ${(error as SyntaxError).message}`);
  }
  return { type: 'Inline', inlineProfile: value };
}

/** moby's order: what is added by name stands against what is dropped, unless all were added. */
function capabilitiesOf({ CapAdd: add, CapDrop: drop }: HostConfig): NonNullable<SpecInput['capabilities']> {
  const added = [...new Set(add.map((name) => known(name, 'CapAdd')))];
  const dropped = [...new Set(drop.map((name) => known(name, 'CapDrop')))];
  if (!added.includes('ALL')) return { add: added, drop: dropped.filter((name) => !added.includes(name)) };
  return dropped.includes('ALL') ? { drop: ['ALL'] } : { add: added.filter((name) => !dropped.includes(name)), drop: dropped };
}

function known(name: string, field: string): string {
  try {
    return canonicalCapability(name);
  } catch {
    throw bad(`invalid ${field}: unknown capability: "${name}"`);
  }
}
