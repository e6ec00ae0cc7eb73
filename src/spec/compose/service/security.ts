import type { ContainerSpecInput } from '../../translate/draft.ts';
import type { Field } from '../../translate/field.ts';
import { FieldError } from '../../translate/problem-list.ts';
import { fieldsAmong, flagOf, isMap, itemsOf, textOf, wordOf } from '../../translate/read-field.ts';
import { resourceNameOf } from '../names.ts';
import { absolutePath, type ContainerSpecPart, type Handlers, put, refused, type Service, unheard } from './handler.ts';
import { containersOf } from './replicas.ts';

const IPC = new Map([['none', 'None'], ['private', 'Private'], ['shareable', 'Shareable'], ['host', 'Host']]);

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
  cgroup: (field, service) => put(service, { namespaces: { cgroup: wordOf(field, ['host', 'private']) === 'host' ? 'Host' : 'Private' } }, field),
  cgroup_parent: refused("a parent cgroup of one's own is not supported", 'leave it out: all containers of a daemon are below its own'),
  device_cgroup_rules: (field, service) => {
    for (const item of itemsOf(field)) put(service, { deviceCgroupRules: [textOf(item)] }, item);
  },
  devices: (field, service) => {
    for (const item of itemsOf(field)) put(service, { devices: [deviceOf(item)] }, item);
  },
  gpus: refused('GPUs are not supported'),
  credential_spec: refused('is for Windows'),
  isolation: (field) => {
    if (textOf(field) !== 'default') throw new FieldError(field, 'is for Windows', 'leave it out');
  },
  runtime: refused('containers are run by the runtime of Mooring alone'),
  use_api_socket: refused('the socket of the daemon is not handed to containers'),
  ipc: (field, service) => {
    put(service, { namespaces: { ipc: IPC.get(textOf(field)) ?? joined(field, service) } }, field);
  },
  pid: (field, service) => put(service, { namespaces: { pid: textOf(field) === 'host' ? 'Host' : joined(field, service) } }, field),
  uts: (field, service) => put(service, { namespaces: { uts: wordOf(field, ['host']) === 'host' ? 'Host' : 'Private' } }, field),
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

/** `service:NAME` or `container:NAME`, as a field of namespaces names another container. */
function joined(field: Field, { project }: Service): string {
  const [kind, name = ''] = textOf(field).split(':');
  if (kind === 'container' && name !== '') return `Container:${resourceNameOf(name)}`;
  if (kind !== 'service') throw new FieldError(field, `there is no namespace ${JSON.stringify(textOf(field))}`, 'use host, service:NAME or container:NAME');
  const [container, ...more] = containersOf(name, field, project);
  if (container === undefined || more.length > 0) throw new FieldError(field, `service ${name} has not one container but ${container === undefined ? 0 : more.length + 1}`);
  return `Container:${container}`;
}

type Device = NonNullable<ContainerSpecInput['devices']>[number];

/** `/dev/a`, `/dev/a:/dev/b`, `/dev/a:/dev/b:rwm`, or the same in fields. */
function deviceOf(field: Field): Device {
  if (isMap(field)) {
    const { source, target, permissions } = fieldsAmong(field, ['source', 'target', 'permissions']);
    if (source === undefined) throw new FieldError(field, 'has no source');
    return { path: textOf(source), ...(target !== undefined && { containerPath: textOf(target) }), ...(permissions !== undefined && { permissions: textOf(permissions) }) };
  }
  const [path = '', second, third] = textOf(field).split(':');
  if (!path.startsWith('/')) throw new FieldError(field, `${JSON.stringify(path)} is no device of the node`, 'write its path: /dev/fuse');
  const permissions = third ?? (second?.startsWith('/') === false ? second : undefined);
  return { path, ...(second?.startsWith('/') === true && { containerPath: second }), ...(permissions !== undefined && { permissions }) };
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
