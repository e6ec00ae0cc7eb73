import { quoted } from '../../lib/text.ts';
import type { ContainerSpecInput } from '../translate/draft.ts';
import type { Field } from '../translate/field.ts';
import { FieldError } from '../translate/problem-list.ts';
import { fieldsAmong, integerOf, itemsOf, textOf, wordOf } from '../translate/read-field.ts';
import type { PodContainer } from './handler.ts';

type Probe = NonNullable<ContainerSpecInput['readinessProbe']>;

const TIMES = ['initialDelaySeconds', 'periodSeconds', 'timeoutSeconds', 'successThreshold', 'failureThreshold', 'terminationGracePeriodSeconds'] as const;

/** A probe of a pod's container, with the numbers of the ports that it names. */
export function probeOf(field: Field, container: PodContainer): Probe {
  const { exec, httpGet, tcpSocket, grpc, ...times } = fieldsAmong(field, ['exec', 'httpGet', 'tcpSocket', 'grpc', ...TIMES]);
  return {
    ...(exec && { exec: { command: listOf(fieldsAmong(exec, ['command']).command).map(textOf) } }),
    ...(httpGet && { httpGet: httpGetOf(httpGet, container) }),
    ...(tcpSocket && { tcpSocket: connectionOf(fieldsAmong(tcpSocket, ['port', 'host']), tcpSocket, container) }),
    ...(grpc && { grpc: grpcOf(grpc, container) }),
    ...Object.fromEntries(TIMES.flatMap((name) => (times[name] === undefined ? [] : [[name, integerOf(times[name])]]))),
  };
}

function httpGetOf(field: Field, container: PodContainer): NonNullable<Probe['httpGet']> {
  const { path, scheme, httpHeaders, ...where } = fieldsAmong(field, ['port', 'host', 'path', 'scheme', 'httpHeaders']);
  const text = path === undefined ? '/' : textOf(path);
  return {
    ...connectionOf(where, field, container),
    path: text.startsWith('/') ? text : `/${text}`,
    ...(scheme && { scheme: wordOf(scheme, ['HTTP', 'HTTPS']) }),
    httpHeaders: listOf(httpHeaders).map((item) => {
      const { name, value } = fieldsAmong(item, ['name', 'value']);
      if (name === undefined) throw new FieldError(item, 'has no name');
      return { name: textOf(name), value: value === undefined ? '' : textOf(value) };
    }),
  };
}

function grpcOf(field: Field, container: PodContainer): NonNullable<Probe['grpc']> {
  const { port, service } = fieldsAmong(field, ['port', 'service']);
  return { port: portOf(port, field, container), ...(service && service.value !== null && { service: textOf(service) }) };
}

function connectionOf({ port, host }: { readonly port?: Field; readonly host?: Field }, field: Field, container: PodContainer): { port: number; host?: string } {
  return { port: portOf(port, field, container), ...(host && textOf(host) !== '' && { host: textOf(host) }) };
}

/** A port's number, or that of the port of that name. */
function portOf(port: Field | undefined, field: Field, { field: container }: PodContainer): number {
  if (port === undefined) throw new FieldError(field, 'has no port');
  const text = textOf(port);
  if (/^[0-9]+$/.test(text)) return integerOf(port);
  const named = listOf(container.get('ports')).find((each) => each.get('name')?.value === text)?.get('containerPort');
  if (named === undefined) throw new FieldError(port, `there is no port ${quoted(text)} among the ports of this container`, 'name one of them, or give its number');
  return integerOf(named);
}

function listOf(field: Field | undefined): readonly Field[] {
  return field === undefined || field.value === null ? [] : itemsOf(field);
}
