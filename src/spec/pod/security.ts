import type { ContainerSpecInput } from '../translate/draft.ts';
import type { Field } from '../translate/field.ts';
import { FieldError } from '../translate/problem-list.ts';
import { entriesOf, fieldsAmong, flagOf, integerOf, itemsOf, textOf, unknownField, wordOf } from '../translate/read-field.ts';
import { type Handlers, type PodContainer, put, refused } from './handler.ts';

/** `securityContext` of a container; those that a pod has as well are taken from there where the container says nothing. */
const FIELDS: Handlers<PodContainer> = {
  privileged: (field, container) => put(container, { privileged: flagOf(field) }, field),
  readOnlyRootFilesystem: (field, container) => put(container, { readOnlyRootFilesystem: flagOf(field) }, field),
  allowPrivilegeEscalation: (field, container) => put(container, { noNewPrivileges: !flagOf(field) }, field),
  capabilities: (field, container) => {
    const { add, drop } = fieldsAmong(field, ['add', 'drop']);
    for (const item of add === undefined ? [] : itemsOf(add)) put(container, { capabilities: { add: [textOf(item)] } }, item);
    for (const item of drop === undefined ? [] : itemsOf(drop)) put(container, { capabilities: { drop: [textOf(item)] } }, item);
  },
  seccompProfile: (field, container) => {
    const { type, localhostProfile } = fieldsAmong(field, ['type', 'localhostProfile']);
    if (type === undefined) throw new FieldError(field, 'has no type');
    put(container, { seccompProfile: { type: wordOf(type, ['RuntimeDefault', 'Unconfined', 'Localhost']), ...(localhostProfile !== undefined && { localhostProfile: profilePath(localhostProfile) }) } }, field);
  },
  appArmorProfile: (field, container) => {
    const { type, localhostProfile } = fieldsAmong(field, ['type', 'localhostProfile']);
    if (type === undefined) throw new FieldError(field, 'has no type');
    const kind = wordOf(type, ['RuntimeDefault', 'Unconfined', 'Localhost']);
    if (kind === 'RuntimeDefault') throw new FieldError(type, 'there is no profile of the runtime', 'leave it out, or name a profile of the node');
    if (kind === 'Localhost' && localhostProfile === undefined) throw new FieldError(field, 'has no localhostProfile');
    put(container, { appArmorProfile: localhostProfile === undefined ? 'unconfined' : textOf(localhostProfile) }, field);
  },
  procMount: (field, container) => {
    if (wordOf(field, ['Default', 'Unmasked']) === 'Unmasked') put(container, { maskedPaths: [], readonlyPaths: [] }, field);
  },
  runAsUser: () => {}, // with runAsGroup: see userOf
  runAsGroup: () => {},
  runAsNonRoot: () => {},
  seLinuxOptions: refused('SELinux labels are not supported'),
  windowsOptions: refused('is for Windows'),
};

/** What a pod alone can say. */
const POD_FIELDS: Handlers<PodContainer> = {
  supplementalGroups: (field, container) => put(container, { supplementalGroups: itemsOf(field).map(textOf) }, field),
  sysctls: (field, container) => {
    for (const item of itemsOf(field)) {
      const { name, value } = fieldsAmong(item, ['name', 'value']);
      if (name === undefined || value === undefined) throw new FieldError(item, 'has not both of name and value');
      put(container, { sysctls: [{ name: textOf(name), value: textOf(value) }] }, item);
    }
  },
  fsGroup: refused('the owners of volumes are not changed'),
  fsGroupChangePolicy: refused('the owners of volumes are not changed'),
  supplementalGroupsPolicy: (field) => void wordOf(field, ['Merge']),
  seLinuxChangePolicy: refused('SELinux labels are not supported'),
};
const OF_BOTH = ['seccompProfile', 'appArmorProfile', 'runAsUser', 'runAsGroup', 'runAsNonRoot', 'seLinuxOptions', 'windowsOptions'];

/** What a container may do, by its own security context and its pod's. The first of a pod's containers has its network, and with it its kernel settings. */
export function secure(container: PodContainer, first: boolean): void {
  const { field, pod } = container;
  const own = field.get('securityContext');
  const shared = pod.spec.get('securityContext');
  put(container, { noNewPrivileges: false }, own ?? field);
  const apply = (context: Field, handlers: Handlers<PodContainer>): void => {
    for (const [key, value] of entriesOf(context)) {
      if (value.value === null || (context === shared && own?.get(key) !== undefined) || (key === 'sysctls' && !first)) continue;
      pod.problems.attempt(value, () => {
        const handler = Object.hasOwn(handlers, key) ? handlers[key] : undefined;
        if (handler === undefined) throw unknownField(value, key, Object.keys(handlers));
        handler(value, container);
      });
    }
  };
  if (shared !== undefined) apply(shared, { ...POD_FIELDS, ...Object.fromEntries(OF_BOTH.map((key) => [key, FIELDS[key] as (typeof FIELDS)[string]])) });
  if (own !== undefined) apply(own, FIELDS);
  const user = (name: string): Field | undefined => own?.get(name) ?? shared?.get(name);
  put(container, userOf(user('runAsUser'), user('runAsGroup'), user('runAsNonRoot')), user('runAsUser') ?? field);
}

function userOf(user: Field | undefined, group: Field | undefined, nonRoot: Field | undefined): Partial<ContainerSpecInput> {
  const id = user === undefined ? undefined : integerOf(user);
  if (nonRoot !== undefined && flagOf(nonRoot)) {
    if (id === undefined) throw new FieldError(nonRoot, "an image's own user is not looked at before it runs", 'give runAsUser', true);
    if (id === 0) throw new FieldError(nonRoot, 'stands beside runAsUser: 0', 'give another user', true);
  }
  if (id === undefined && group === undefined) return {};
  if (id === undefined) throw new FieldError(group as Field, 'a group without a user is not supported', 'give runAsUser, too', true);
  return { user: group === undefined ? `${id}` : `${id}:${integerOf(group)}` };
}

/** Relative ones are the kubelet's, below its folder of profiles. */
function profilePath(field: Field): string {
  const path = textOf(field);
  return path.startsWith('/') ? path : `/var/lib/kubelet/seccomp/${path}`;
}
