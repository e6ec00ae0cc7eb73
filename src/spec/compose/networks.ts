import { DEFAULT_NETWORK_NAME } from '../container-network.ts';
import type { z } from 'zod';
import type { networkSpecSchema } from '../network.ts';
import type { ParsedDocument } from '../parsed.ts';
import { Draft } from '../translate/draft.ts';
import type { Field } from '../translate/field.ts';
import { FieldError, type ProblemList } from '../translate/problem-list.ts';
import { entriesOf, fieldsAmong, flagOf, integerOf, itemsOf, textOf, wordOf } from '../translate/read-field.ts';
import { labelsOf, textsOf } from './labels.ts';
import { resourceNameOf } from './names.ts';
import type { NetworkReference } from './project.ts';

type NetworkInput = z.input<typeof networkSpecSchema>;

const FIELDS = ['name', 'external', 'driver', 'driver_opts', 'internal', 'enable_ipv4', 'enable_ipv6', 'ipam', 'labels', 'attachable'] as const;
const DRIVERS = { bridge: 'Bridge', macvlan: 'Macvlan', ipvlan: 'Ipvlan' } as const;
const MODES = new Map<string, NonNullable<NetworkInput['mode']>>([['bridge', 'Bridge'], ['private', 'Private'], ['vepa', 'Vepa'], ['passthru', 'Passthru'], ['l2', 'L2'], ['l3', 'L3'], ['l3s', 'L3S']]);

export interface TranslatedNetwork {
  readonly reference: NetworkReference;
  /** Undefined for one that is somebody else's to make. */
  readonly document: ParsedDocument | undefined;
}

/** One network of the file: the `Network` that it becomes, or what it is called where it is external. Throws FieldErrors. */
export function networkOf(key: string, field: Field, project: string, problems: ProblemList): TranslatedNetwork | undefined {
  const given = field.value === null ? {} : fieldsAmong(field, FIELDS);
  const external = isExternal(given.external);
  const name = given.name === undefined ? (externalName(given.external) ?? (external ? key : `${project}_${key}`)) : textOf(given.name);
  if (external) return { reference: { name: name === 'bridge' ? DEFAULT_NETWORK_NAME : resourceNameOf(name), internal: false }, document: undefined };
  const draft = new Draft<NetworkInput>();
  const internal = given.internal !== undefined && flagOf(given.internal);
  draft.set({ driver: DRIVERS[given.driver === undefined || textOf(given.driver) === 'default' ? 'bridge' : wordOf(given.driver, Object.keys(DRIVERS) as (keyof typeof DRIVERS)[])] }, given.driver ?? field);
  draft.set({ internal, ipv6: given.enable_ipv6 !== undefined && flagOf(given.enable_ipv6) }, given.internal ?? given.enable_ipv6 ?? field);
  if (given.enable_ipv4 !== undefined && !flagOf(given.enable_ipv4)) throw new FieldError(given.enable_ipv4, 'a network without IPv4 is not supported', 'leave it out');
  for (const [option, value] of given.driver_opts === undefined ? [] : entriesOf(given.driver_opts)) draft.set(optionOf(option, value), value);
  if (given.ipam !== undefined) draft.set({ subnets: subnetsOf(given.ipam) }, given.ipam);
  const metadata = labelsOf({ 'com.docker.compose.project': project, 'com.docker.compose.network': key }, given.labels === undefined ? [] : textsOf(given.labels, 'labels'), []);
  const document = draft.document('Network', { name: resourceNameOf(name), ...metadata }, field, problems);
  return document === undefined ? undefined : { reference: { name: document.resource.metadata.name, internal }, document };
}

/** `external: true`, or its old form with a name in it. */
export function isExternal(field: Field | undefined): boolean {
  return field !== undefined && (field.value instanceof Map || flagOf(field));
}

export function externalName(field: Field | undefined): string | undefined {
  const name = field?.get('name');
  return name === undefined ? undefined : textOf(name);
}

function optionOf(option: string, value: Field): NetworkInput {
  switch (option) {
    case 'com.docker.network.driver.mtu':
      return { mtu: integerOf(value) };
    case 'parent':
      return { parent: textOf(value) };
    case 'macvlan_mode':
    case 'ipvlan_mode': {
      const mode = MODES.get(textOf(value));
      if (mode === undefined) throw new FieldError(value, `${textOf(value)} is no mode of such a network`);
      return { mode };
    }
    default:
      throw new FieldError(value, 'is an option of a driver that is not supported', 'leave it out; parent, macvlan_mode, ipvlan_mode and com.docker.network.driver.mtu are', true);
  }
}

function subnetsOf(ipam: Field): NonNullable<NetworkInput['subnets']> {
  const { driver, config, options } = fieldsAmong(ipam, ['driver', 'config', 'options']);
  if (driver !== undefined && textOf(driver) !== 'default') throw new FieldError(driver, 'there is one way to give addresses, the default one', 'leave it out');
  if (options !== undefined && entriesOf(options).length > 0) throw new FieldError(options, 'there are no options for giving addresses', 'leave it out', true);
  return (config === undefined ? [] : itemsOf(config)).map((item) => {
    const { subnet, gateway, ip_range: range, aux_addresses: aux } = fieldsAmong(item, ['subnet', 'gateway', 'ip_range', 'aux_addresses']);
    if (aux !== undefined) throw new FieldError(aux, 'addresses to keep free are not supported', 'give an ip_range that leaves them out', true);
    if (subnet === undefined) throw new FieldError(item, 'has no subnet');
    return { cidr: textOf(subnet), ...(gateway !== undefined && { gateway: textOf(gateway) }), ...(range !== undefined && { ipRange: textOf(range) }) };
  });
}
