import type { Field } from '../../translate/field.ts';
import { FieldError } from '../../translate/problem-list.ts';
import { flagOf, itemsOf, textOf } from '../../translate/read-field.ts';
import { absolutePath, type ContainerSpecPart, type Handlers, put, refused, unheard } from './handler.ts';

/** What a service is allowed to do. */
export const SECURITY: Handlers = {
  privileged: (field, service) => put(service, { privileged: flagOf(field) }, field),
  read_only: (field, service) => put(service, { readOnlyRootFilesystem: flagOf(field) }, field),
  cap_add: (field, service) => {
    for (const item of itemsOf(field)) put(service, { capabilities: { add: [textOf(item)] } }, item);
  },
  cap_drop: (field, service) => {
    for (const item of itemsOf(field)) put(service, { capabilities: { drop: [textOf(item)] } }, item);
  },
  security_opt: (field, service) => {
    for (const item of itemsOf(field)) put(service, securityOption(item), item);
  },
  cgroup: (field) => {
    if (textOf(field) !== 'private') throw new FieldError(field, "the node's own cgroup namespace is not lent to containers", 'leave it out');
  },
  cgroup_parent: refused("a parent cgroup of one's own is not supported", 'leave it out: all containers of a daemon are below its own'),
  device_cgroup_rules: refused('rules of the device cgroup are not supported'),
  devices: refused('single devices of the node are not supported'),
  gpus: refused('GPUs are not supported'),
  credential_spec: refused('is for Windows'),
  isolation: (field) => {
    if (textOf(field) !== 'default') throw new FieldError(field, 'is for Windows', 'leave it out');
  },
  runtime: refused('containers are run by the runtime of Mooring alone'),
  use_api_socket: refused('the socket of the daemon is not handed to containers'),
  ipc: namespaceMode('ipc', ['private', 'shareable']),
  pid: namespaceMode('pid', []),
  uts: namespaceMode('uts', []),
  userns_mode: (field) => {
    if (textOf(field) !== 'host') throw new FieldError(field, `there is no user namespace ${textOf(field)}`, 'leave it out');
  },
  platform: (field) => {
    const [system, machine] = textOf(field).split('/');
    if (system !== 'linux' && machine !== undefined) throw new FieldError(field, `${textOf(field)} does not run here`, 'leave it out');
    throw new FieldError(field, "an image for another machine than the node's is not supported", 'leave it out');
  },
  attach: unheard,
};

/** The namespace that a container has for itself in any case, under the words that say so. */
function namespaceMode(name: string, own: readonly string[]): Handlers[string] {
  return (field) => {
    if (!own.includes(textOf(field))) throw new FieldError(field, `another ${name} namespace than its own is not supported`, 'leave it out', true);
  };
}

function securityOption(field: Field): ContainerSpecPart {
  const [, name = '', value = ''] = /^([^:=]+)(?:[:=](.*))?$/s.exec(textOf(field)) ?? [];
  switch (name) {
    case 'no-new-privileges':
      return { noNewPrivileges: value === '' || value === 'true' };
    case 'seccomp':
      if (value === 'unconfined') return { seccompProfile: { type: 'Unconfined' } };
      return { seccompProfile: { type: 'Localhost', localhostProfile: absolutePath(field, value) } };
    case 'apparmor':
      return { appArmorProfile: value };
    case 'systempaths':
      if (value === 'unconfined') return { maskedPaths: [], readonlyPaths: [] };
      break;
    case 'label':
      if (value === 'disable') return {};
      break;
  }
  throw new FieldError(field, `the option ${JSON.stringify(textOf(field))} is not supported`, 'use no-new-privileges, seccomp, apparmor or systempaths=unconfined');
}
