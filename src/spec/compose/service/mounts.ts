import { posix } from 'node:path';
import { quoted } from '../../../lib/text.ts';
import type { ContainerSpecInput } from '../../translate/draft.ts';
import type { Field } from '../../translate/field.ts';
import { FieldError } from '../../translate/problem-list.ts';
import { fieldsAmong, flagOf, isMap, itemsOf, oneOrMore, textOf, wordOf } from '../../translate/read-field.ts';
import { dockerBytes } from '../../translate/units.ts';
import type { Project } from '../project.ts';
import { absolutePath, type Handlers, put } from './handler.ts';
import { fileMounts } from './file-mounts.ts';

export type MountInput = NonNullable<ContainerSpecInput['mounts']>[number];

/** What of a service's is mounted into it. */
export const MOUNTS: Handlers = {
  volumes: (field, service) => {
    for (const { mount, from } of volumeMounts(field, service.project)) put(service, { mounts: [mount] }, from);
  },
  tmpfs: (field, service) => {
    for (const item of oneOrMore(field)) put(service, { mounts: [shortTmpfs(item)] }, item);
  },
  configs: (field, service) => fileMounts(field, 'configs', service),
  secrets: (field, service) => fileMounts(field, 'secrets', service),
  volumes_from: (field, service) => {
    for (const item of itemsOf(field)) {
      const [name = '', mode = 'rw'] = textOf(item).split(':');
      if (name === 'container') throw new FieldError(item, 'mounts of a container that no file declares are not supported', 'name a service, or the volumes');
      const other = service.project.services.get(name)?.get('volumes');
      if (!service.project.services.has(name)) throw new FieldError(item, `there is no service ${name} in this file`);
      for (const { mount } of other === undefined ? [] : volumeMounts(other, service.project)) put(service, { mounts: [{ ...mount, ...(mode === 'ro' && { readOnly: true }) }] }, item);
    }
  },
};

function volumeMounts(field: Field, project: Project): { readonly mount: MountInput; readonly from: Field }[] {
  return itemsOf(field).map((item) => ({ mount: isMap(item) ? longMount(item, project) : shortMount(item, project), from: item }));
}

/** `target`, `source:target`, `source:target:mode,…`. */
function shortMount(field: Field, project: Project): MountInput {
  const text = textOf(field);
  const [first = '', second, modes, ...more] = text.split(':');
  if (more.length > 0 || first === '') throw new FieldError(field, `${quoted(text)} is no mount`, 'write VOLUME:/path, ./folder:/path or ./folder:/path:ro');
  const target = targetOf(second ?? first, field);
  const options = (modes ?? '').split(',').filter((mode) => mode !== '');
  const common = { mountPath: target, ...(options.includes('ro') && { readOnly: true }) };
  const rest = options.filter((mode) => !['ro', 'rw', 'consistent', 'cached', 'delegated'].includes(mode));
  const isPath = second !== undefined && /^[./~]/.test(first);
  const source = second === undefined ? undefined : first;
  if (!isPath) {
    for (const mode of rest) if (mode !== 'nocopy' && mode !== 'volume-nocopy') throw unknownMode(field, mode);
    return { ...common, volume: { ...(source !== undefined && { name: volumeNamed(source, field, project) }), ...(rest.length > 0 && { noCopy: true }) } };
  }
  const propagations = rest.filter((mode) => {
    if (PROPAGATIONS.has(mode)) return true;
    throw unknownMode(field, mode);
  });
  return { ...common, bind: { source: absolutePath(field, first), createSource: true, ...propagationOf(propagations[0], field) } };
}

function unknownMode(field: Field, mode: string): FieldError {
  if (mode === 'z' || mode === 'Z') return new FieldError(field, `${mode} relabels files for SELinux, which Mooring does not do`, 'leave it out');
  return new FieldError(field, `there is no mode ${quoted(mode)} of such a mount`);
}

const PROPAGATIONS = new Map<string, 'None' | 'HostToContainer' | 'Bidirectional'>([['rprivate', 'None'], ['rslave', 'HostToContainer'], ['rshared', 'Bidirectional']]);

function propagationOf(mode: string | undefined, field: Field): { propagation?: 'None' | 'HostToContainer' | 'Bidirectional' } {
  if (mode === undefined) return {};
  const propagation = PROPAGATIONS.get(mode);
  if (propagation === undefined) throw new FieldError(field, `${quoted(mode)} is no propagation that is supported`, 'use rprivate, rslave or rshared');
  return { propagation };
}

const LONG = ['type', 'source', 'target', 'read_only', 'consistency', 'bind', 'volume', 'tmpfs'] as const;

function longMount(field: Field, project: Project): MountInput {
  const given = fieldsAmong(field, LONG);
  if (given.type === undefined) throw new FieldError(field, 'has no type', 'give bind, volume or tmpfs');
  const type = wordOf(given.type, ['bind', 'volume', 'tmpfs']);
  if (given.target === undefined) throw new FieldError(field, 'has no target', 'give the path in the container');
  const common = { mountPath: targetOf(textOf(given.target), given.target), ...(given.read_only !== undefined && { readOnly: flagOf(given.read_only) }) };
  for (const other of ['bind', 'volume', 'tmpfs'] as const) {
    if (other !== type && given[other] !== undefined) throw new FieldError(given[other], `says nothing of a mount of type ${type}`, undefined, true);
  }
  if (type === 'tmpfs') {
    if (given.source !== undefined) throw new FieldError(given.source, 'a tmpfs has no source', 'leave it out', true);
    return { ...common, tmpfs: given.tmpfs === undefined ? {} : longTmpfs(given.tmpfs) };
  }
  if (type === 'volume') {
    const { nocopy, subpath } = given.volume === undefined ? {} : fieldsAmong(given.volume, ['nocopy', 'subpath']);
    return {
      ...common,
      volume: {
        ...(given.source !== undefined && { name: volumeNamed(textOf(given.source), given.source, project) }),
        ...(nocopy !== undefined && { noCopy: flagOf(nocopy) }),
        ...(subpath !== undefined && { subPath: textOf(subpath) }),
      },
    };
  }
  if (given.source === undefined) throw new FieldError(field, 'has no source', 'give a path of the node');
  const bind = given.bind === undefined ? {} : fieldsAmong(given.bind, ['propagation', 'create_host_path', 'selinux', 'recursive']);
  if (bind.selinux !== undefined) throw new FieldError(bind.selinux, 'relabels files for SELinux, which Mooring does not do', 'leave it out', true);
  const recursive = bind.recursive === undefined ? 'enabled' : wordOf(bind.recursive, ['enabled', 'writable', 'readonly']);
  return {
    ...common,
    ...(recursive === 'writable' && { recursiveReadOnly: false }),
    bind: {
      source: absolutePath(given.source, textOf(given.source)),
      createSource: bind.create_host_path === undefined || flagOf(bind.create_host_path),
      ...(bind.propagation !== undefined && propagationOf(textOf(bind.propagation), bind.propagation)),
    },
  };
}

function longTmpfs(field: Field): NonNullable<MountInput['tmpfs']> {
  const { size, mode } = fieldsAmong(field, ['size', 'mode']);
  if (mode !== undefined && typeof mode.value !== 'string') throw new FieldError(mode, 'is a number, of which nobody sees whether it is octal', 'write it in octal and in quotes: "1777"');
  return { ...(size !== undefined && { size: dockerBytes(textOf(size)) }), ...(mode !== undefined && { mode: textOf(mode) }) };
}

/** `/run`, `/run:size=64m,mode=1777`. */
function shortTmpfs(field: Field): MountInput {
  const [path = '', options = ''] = textOf(field).split(':');
  const tmpfs: { size?: number; mode?: string; options: string[] } = { options: [] };
  for (const option of options.split(',').filter((one) => one !== '')) {
    const [name, value = ''] = option.split('=');
    if (name === 'size') tmpfs.size = dockerBytes(value);
    else if (name === 'mode') tmpfs.mode = value;
    else if (option !== 'rw') tmpfs.options.push(option);
  }
  return { mountPath: targetOf(path, field), tmpfs };
}

function targetOf(path: string, field: Field): string {
  if (!path.startsWith('/')) throw new FieldError(field, `${quoted(path)} is not an absolute path in the container`, 'begin it with /');
  return posix.resolve('/', path);
}

function volumeNamed(key: string, field: Field, { volumes }: Project): string {
  const name = volumes.get(key);
  if (name !== undefined) return name;
  throw new FieldError(field, `there is no volume ${key} in this file`, `declare it below volumes, or write ./${key} for a folder`);
}
