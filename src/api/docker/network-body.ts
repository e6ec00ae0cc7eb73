import { z } from 'zod';
import { API_VERSION } from '../../spec/container.ts';
import type { Network } from '../../spec/network.ts';
import { NAME_ANNOTATION, REQUEST_ANNOTATION } from './create/container-of.ts';
import { checkedResource, resourceLabels } from './declared.ts';
import { DockerError } from './error-reply.ts';
import { resourceNameFor } from './resource-names.ts';

const text = z.string().nullish().transform((value) => value ?? '');
const flag = z.boolean().nullish().transform((value) => value ?? false);
const texts = z.record(z.string(), z.string()).nullish().transform((value) => value ?? {});

/** `NetworkCreateRequest`. */
export const networkBodySchema = z.object({
  Name: text,
  Driver: text,
  Scope: text,
  Internal: flag,
  Attachable: flag,
  Ingress: flag,
  ConfigOnly: flag,
  ConfigFrom: z.object({ Network: text }).nullish(),
  EnableIPv6: flag,
  IPAM: z
    .object({ Driver: text, Options: texts, Config: z.array(z.object({ Subnet: text, IPRange: text, Gateway: text, AuxiliaryAddresses: texts })).nullish().transform((value) => value ?? []) })
    .nullish()
    .transform((value) => value ?? { Driver: '', Options: {}, Config: [] }),
  Options: texts,
  Labels: texts,
});

export type NetworkBody = z.output<typeof networkBodySchema>;

const DRIVERS: Readonly<Record<string, Network['spec']['driver']>> = { '': 'Bridge', bridge: 'Bridge', default: 'Bridge', macvlan: 'Macvlan', ipvlan: 'Ipvlan' };
const MODES: Readonly<Record<string, string>> = { bridge: 'Bridge', private: 'Private', vepa: 'Vepa', passthru: 'Passthru', l2: 'L2', l3: 'L3', l3s: 'L3S' };
/** Options of the bridge driver that say what Mooring's bridges do anyway. */
const AS_EVER: Readonly<Record<string, string>> = {
  'com.docker.network.bridge.enable_icc': 'true',
  'com.docker.network.bridge.enable_ip_masquerade': 'true',
  'com.docker.network.bridge.host_binding_ipv4': '0.0.0.0',
};

/** The document that stands for a network of the API. Throws for what Mooring's networks can't have, naming it. */
export function networkOf(body: NetworkBody): Network {
  const { Name, Driver, IPAM, Options, Internal, EnableIPv6, Labels } = body;
  if (Name.trim() === '') throw new DockerError(400, 'invalid name: name is empty');
  if (Driver === 'overlay' || body.Ingress || body.Scope === 'swarm') throw new DockerError(503, 'This node is not a swarm manager. Mooring runs the containers of one node and has no swarm mode.');
  if (Driver === 'host' || Driver === 'null') throw new DockerError(403, `only one instance of "${Driver}" network is allowed`);
  const driver = DRIVERS[Driver];
  if (driver === undefined) throw new DockerError(404, `plugin ${JSON.stringify(Driver)} not found`);
  if (body.ConfigOnly || (body.ConfigFrom?.Network ?? '') !== '') throw new DockerError(501, 'Mooring has no networks that are a configuration alone.');
  if (!['', 'default'].includes(IPAM.Driver) || Object.keys(IPAM.Options).length > 0) throw new DockerError(501, `Mooring gives addresses itself: the IPAM driver ${JSON.stringify(IPAM.Driver)} and its options are not served.`);
  const subnets = IPAM.Config.filter(({ Subnet }) => Subnet !== '').map(({ Subnet, IPRange, Gateway, AuxiliaryAddresses }) => {
    if (Object.keys(AuxiliaryAddresses).length > 0) throw new DockerError(501, 'Mooring sets no addresses of a subnet aside (AuxiliaryAddresses): give an IPRange that leaves them out.');
    return { cidr: Subnet, ...(Gateway !== '' && { gateway: Gateway }), ...(IPRange !== '' && { ipRange: IPRange }) };
  });
  return checkedResource({
    apiVersion: API_VERSION,
    kind: 'Network',
    metadata: { name: resourceNameFor(Name), labels: resourceLabels(Labels), annotations: { [NAME_ANNOTATION]: Name, [REQUEST_ANNOTATION]: JSON.stringify(body) } },
    spec: { driver, internal: Internal, ipv6: EnableIPv6 || subnets.some(({ cidr }) => cidr.includes(':')), subnets, ...optionsOf(Options) },
  });
}

function optionsOf(options: Readonly<Record<string, string>>): Record<string, unknown> {
  const spec: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(options)) {
    if (key === 'com.docker.network.driver.mtu') spec['mtu'] = Number(value);
    else if (key === 'parent') spec['parent'] = value;
    else if (key === 'macvlan_mode' || key === 'ipvlan_mode') spec['mode'] = MODES[value] ?? value;
    else if (AS_EVER[key] !== value) throw new DockerError(501, `Mooring's networks have no option ${JSON.stringify(`${key}=${value}`)}.`);
  }
  return spec;
}
