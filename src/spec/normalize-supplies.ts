import { canonicalAddress, checkMac } from './address.ts';
import type { ContainerSpec } from './container.ts';
import type { NetworkSpec } from './network.ts';
import { formatQuantity, NANO, type QuantityFormat } from './quantity.ts';
import { parseBitRate, parseVolumeSize } from './resources.ts';
import { mountOptions, type VolumeSpec } from './volume.ts';

/** What a container says of its network, each value written in one way. The order of networks means something: by the first it reaches the outside. */
export function normalizeContainerNetwork(network: ContainerSpec['network']): ContainerSpec['network'] {
  const { ingress, egress } = network.bandwidth;
  return {
    ...network,
    networks: network.networks.map(({ ipv4Address, ipv6Address, macAddress, aliases, ...attachment }) => ({
      ...attachment,
      aliases: [...new Set(aliases.map(lowerCase))].toSorted(),
      ...(ipv4Address !== undefined && { ipv4Address: canonicalAddress(ipv4Address) }),
      ...(ipv6Address !== undefined && { ipv6Address: canonicalAddress(ipv6Address) }),
      ...(macAddress !== undefined && { macAddress: checkMac(macAddress) }),
    })),
    dns: { ...network.dns, servers: network.dns.servers.map(canonicalAddress), searches: network.dns.searches.map(lowerCase) },
    extraHosts: network.extraHosts.map(({ ip, hostnames }) => ({ ip: canonicalAddress(ip), hostnames })),
    bandwidth: { ...(ingress !== undefined && { ingress: quantity(parseBitRate(ingress), 'DecimalSI') }), ...(egress !== undefined && { egress: quantity(parseBitRate(egress), 'DecimalSI') }) },
  };
}

export function normalizeNetwork(spec: NetworkSpec): NetworkSpec {
  const subnets = spec.subnets.map(({ cidr, gateway, ipRange }) => ({
    cidr: canonicalAddress(cidr),
    ...(gateway !== undefined && { gateway: canonicalAddress(gateway) }),
    ...(ipRange !== undefined && { ipRange: canonicalAddress(ipRange) }),
  }));
  return { ...spec, subnets: subnets.toSorted((a, b) => Number(a.cidr.includes(':')) - Number(b.cidr.includes(':'))) };
}

export function normalizeVolume(spec: VolumeSpec): VolumeSpec {
  const { o } = spec.options;
  return {
    ...spec,
    options: { ...spec.options, ...(o !== undefined && { o: mountOptions(o).join(',') }) },
    ...(spec.size !== undefined && { size: quantity(parseVolumeSize(spec.size), 'BinarySI') }),
  };
}

function quantity(value: number, format: QuantityFormat): string {
  return formatQuantity({ nanos: BigInt(value) * NANO, format });
}

const lowerCase = (text: string): string => text.toLowerCase();
