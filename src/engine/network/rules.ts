import type { PublishedPort } from './published-port.ts';
import { addressText, type Subnet, subnetText } from '../../spec/address.ts';

/** What an instance's table is made from. */
export interface RulesOptions {
  readonly table: string;
  readonly bridge: string;
  readonly subnet4: Subnet;
  readonly subnet6: Subnet | undefined;
}

/** One entry of one of the maps from a port of the node to a container's. Its parts are as nft(8) takes them. */
export interface Element {
  readonly map: 'any4' | 'at4' | 'any6' | 'at6';
  readonly key: string;
  readonly value: string;
}

/** Where a container is reached. */
export interface ContainerAddresses {
  readonly v4: Buffer;
  readonly v6: Buffer | undefined;
}

/** The entries that lead a published port to a container. */
export function elementsOf({ protocol, hostIP, hostPort, containerPort }: PublishedPort, { v4, v6 }: ContainerAddresses): Element[] {
  const key = `${protocol} . ${hostPort}`;
  const to4 = `${addressText(v4)} . ${containerPort}`;
  const to6 = v6 && `${addressText(v6)} . ${containerPort}`;
  if (hostIP === undefined) return [{ map: 'any4', key, value: to4 }, ...(to6 === undefined ? [] : [{ map: 'any6', key, value: to6 } as const])];
  if (!hostIP.includes(':')) return [{ map: 'at4', key: `${hostIP} . ${key}`, value: to4 }];
  if (to6 === undefined) return [];
  return hostIP === '::' ? [{ map: 'any6', key, value: to6 }] : [{ map: 'at6', key: `${hostIP} . ${key}`, value: to6 }];
}

export function addElements(table: string, elements: readonly Element[]): string {
  return elements.map(({ map, key, value }) => `add element inet ${table} ${map} { ${key} : ${value} }\n`).join('');
}

export function deleteElements(table: string, elements: readonly Element[]): string {
  return elements.map(({ map, key }) => `delete element inet ${table} ${map} { ${key} }\n`).join('');
}

/** Puts the whole table in place of whatever is there, as one transaction. */
export function wholeTable(options: RulesOptions, elements: readonly Element[]): string {
  const { table } = options;
  return `add table inet ${table}\ndelete table inet ${table}\n${tableText(options)}${addElements(table, elements)}`;
}

/** Removes the table, whether or not it is there. */
export function noTable(table: string): string {
  return `add table inet ${table}\ndelete table inet ${table}\n`;
}

function tableText({ table, bridge, subnet4, subnet6 }: RulesOptions): string {
  const s4 = subnetText(subnet4);
  const s6 = subnet6 && subnetText(subnet6);
  const only6 = (rule: string): string => (s6 === undefined ? '' : rule);
  return `table inet ${table} {
  map any4 { type inet_proto . inet_service : ipv4_addr . inet_service; }
  map at4 { type ipv4_addr . inet_proto . inet_service : ipv4_addr . inet_service; }
  map any6 { type inet_proto . inet_service : ipv6_addr . inet_service; }
  map at6 { type ipv6_addr . inet_proto . inet_service : ipv6_addr . inet_service; }

  chain guard {
    type filter hook prerouting priority raw; policy accept;
    iifname "${bridge}" ip saddr 127.0.0.0/8 drop
    iifname "${bridge}" ip daddr 127.0.0.0/8 drop
  }

  chain publish {
    dnat ip to ip daddr . meta l4proto . th dport map @at4
    dnat ip to meta l4proto . th dport map @any4
    dnat ip6 to ip6 daddr . meta l4proto . th dport map @at6
    dnat ip6 to meta l4proto . th dport map @any6
  }

  chain prerouting {
    type nat hook prerouting priority -100; policy accept;
    iifname != "lo" ip daddr 127.0.0.0/8 return
    fib daddr type local jump publish
  }

  chain output {
    type nat hook output priority -100; policy accept;
    ip6 daddr ::1 return
    fib daddr type local jump publish
  }

  chain postrouting {
    type nat hook postrouting priority 100; policy accept;
    ip saddr ${s4} oifname != "${bridge}" masquerade
    ${only6(`ip6 saddr ${s6} oifname != "${bridge}" masquerade`)}
    oifname "${bridge}" ip saddr 127.0.0.0/8 masquerade
    oifname "${bridge}" ip saddr ${s4} ct status dnat masquerade
    ${only6(`oifname "${bridge}" ip6 saddr ${s6} ct status dnat masquerade`)}
  }

  chain forward {
    type filter hook forward priority 0; policy accept;
    oifname != "${bridge}" return
    ct state established,related return
    iifname "${bridge}" return
    ct status dnat return
    drop
  }
}
`;
}
