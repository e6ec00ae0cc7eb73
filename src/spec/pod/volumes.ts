import { posix } from 'node:path';
import type { ParsedDocument } from '../parsed.ts';
import { type ContainerSpecInput, Draft } from '../translate/draft.ts';
import type { Field } from '../translate/field.ts';
import { FieldError } from '../translate/problem-list.ts';
import { entriesOf, fieldsAmong, flagOf, itemsOf, textOf, wordOf } from '../translate/read-field.ts';
import { configVolume, projectedVolume } from './config.ts';
import type { Pod } from './handler.ts';

type MountInput = NonNullable<ContainerSpecInput['mounts']>[number];

/** A volume of a pod: what its mounts show, and the `Volume` that it wants, if any. */
export interface PodVolume {
  readonly document?: ParsedDocument | undefined;
  readonly mount: (subPath: string | undefined, field: Field) => Pick<MountInput, 'bind' | 'tmpfs' | 'volume' | 'configMap' | 'secret' | 'projected'>;
}

/** The volumes of a pod by their names. Throws nothing: what is wrong is among the problems. */
export function volumesOf(pod: Pod, labels: Readonly<Record<string, string>>): Map<string, PodVolume | undefined> {
  const { problems } = pod;
  const volumes = new Map<string, PodVolume | undefined>();
  const field = pod.spec.get('volumes');
  for (const item of field === undefined ? [] : (problems.attempt(field, () => itemsOf(field)) ?? [])) {
    problems.attempt(item, () => {
      const given = item.get('name');
      if (given === undefined) throw new FieldError(item, 'has no name');
      const name = textOf(given);
      volumes.set(name, problems.attempt(item, () => volumeOf(name, item, pod, labels)));
    });
  }
  return volumes;
}

function volumeOf(name: string, item: Field, pod: Pod, labels: Readonly<Record<string, string>>): PodVolume {
  const [source, ...more] = entriesOf(item).filter(([key]) => key !== 'name');
  if (more.length > 0) throw new FieldError(item, 'is of several kinds', 'keep one');
  if (source?.[0] === 'hostPath') return hostPath(source[1]);
  if (source?.[0] === 'configMap' || source?.[0] === 'secret') return { mount: configVolume(source[0], source[1]) };
  if (source?.[0] === 'projected') return { mount: projectedVolume(source[1]) };
  // Without a word of what it is, it is an emptyDir.
  if (source === undefined || source[0] === 'emptyDir') return emptyDir(name, source?.[1] ?? item, source !== undefined, pod, labels);
  throw new FieldError(source[1], 'is a kind of volume that is not supported', 'use hostPath, emptyDir, configMap, secret or projected', true);
}

function hostPath(field: Field): PodVolume {
  const { path, type } = fieldsAmong(field, ['path', 'type']);
  if (path === undefined) throw new FieldError(field, 'has no path');
  const kind = type === undefined || type.value === '' ? '' : wordOf(type, ['DirectoryOrCreate', 'Directory', 'FileOrCreate', 'File', 'Socket', 'CharDevice', 'BlockDevice']);
  if (kind === 'FileOrCreate') throw new FieldError(type ?? field, 'a file is not made where there is none', 'make it, and write File');
  const source = textOf(path);
  return { mount: (subPath) => ({ bind: { source: subPath === undefined ? source : posix.join(source, subPath), createSource: kind === 'DirectoryOrCreate' } }) };
}

/** One that is kept as a volume of the pod's is deleted with the pod. */
function emptyDir(name: string, field: Field, given: boolean, pod: Pod, labels: Readonly<Record<string, string>>): PodVolume {
  const { medium, sizeLimit } = given && field.value !== null ? fieldsAmong(field, ['medium', 'sizeLimit']) : {};
  if (medium !== undefined && textOf(medium) !== '') {
    wordOf(medium, ['Memory']);
    let users = 0;
    return {
      mount: (subPath, by) => {
        if (subPath !== undefined) throw new FieldError(by, 'a part of an emptyDir in memory is not supported', 'mount all of it', true);
        if (++users > 1) throw new FieldError(by, `the emptyDir ${name} in memory is mounted twice, and each mount would be one of its own`, 'leave out medium');
        return { tmpfs: { ...(sizeLimit !== undefined && { size: textOf(sizeLimit) }) } };
      },
    };
  }
  if (sizeLimit !== undefined) pod.problems.warn(sizeLimit, 'the size of an emptyDir on disk is not limited');
  const draft = new Draft<{ readonly reclaimPolicy: 'Delete' }>();
  draft.set({ reclaimPolicy: 'Delete' }, field);
  const document = draft.document('Volume', { name: `${pod.name}-${name}`, namespace: pod.namespace, labels }, field, pod.problems);
  return { document, mount: (subPath) => ({ volume: { name: `${pod.name}-${name}`, noCopy: true, ...(subPath !== undefined && { subPath }) } }) };
}

const PROPAGATIONS = { None: 'None', HostToContainer: 'HostToContainer', Bidirectional: 'Bidirectional' } as const;

/** One mount of a container. Throws FieldErrors. */
export function mountOf(item: Field, volumes: ReadonlyMap<string, PodVolume | undefined>): MountInput | undefined {
  const given = fieldsAmong(item, ['name', 'mountPath', 'readOnly', 'subPath', 'mountPropagation', 'recursiveReadOnly', 'subPathExpr']);
  if (given.subPathExpr !== undefined) throw new FieldError(given.subPathExpr, 'is not supported', 'write the path out as subPath', true);
  if (given.name === undefined || given.mountPath === undefined) throw new FieldError(item, 'has not both of name and mountPath');
  const name = textOf(given.name);
  if (!volumes.has(name)) throw new FieldError(given.name, `there is no volume ${name} in this pod`);
  const shown = volumes.get(name)?.mount(given.subPath === undefined ? undefined : textOf(given.subPath), item);
  if (shown === undefined) return undefined;
  const propagation = given.mountPropagation === undefined ? undefined : PROPAGATIONS[wordOf(given.mountPropagation, ['None', 'HostToContainer', 'Bidirectional'])];
  if (propagation !== undefined && propagation !== 'None' && shown.bind === undefined) throw new FieldError(given.mountPropagation ?? item, 'says something of a hostPath alone', 'leave it out', true);
  const recursive = given.recursiveReadOnly === undefined ? 'Enabled' : wordOf(given.recursiveReadOnly, ['Disabled', 'IfPossible', 'Enabled']);
  return {
    mountPath: textOf(given.mountPath),
    ...(given.readOnly !== undefined && { readOnly: flagOf(given.readOnly) }),
    ...(recursive === 'Disabled' && { recursiveReadOnly: false }),
    ...shown,
    ...(shown.bind !== undefined && { bind: { ...shown.bind, ...(propagation !== undefined && { propagation }) } }),
  };
}
