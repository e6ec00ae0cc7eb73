/** What the tables of an instance hold: chains and sets, the same whatever is connected. Networks, containers and ports are elements of the sets. */

export interface RulesOptions {
  readonly table: string;
  /** Whether `::1` can be led to containers. */
  readonly loopback6: boolean;
  /** Chains that judge new connections from the outside as the node's own input rules would, as `hostPolicy` gives them. */
  readonly hostPolicy: string;
}

/** One entry of a set or map. Its parts are as nft(8) takes them. */
export interface Element {
  readonly set: keyof typeof FAMILIES;
  readonly key: string;
  /** Of a map. */
  readonly value?: string;
}

/** The family of the table that each set is in. */
const FAMILIES = {
  bridges: 'inet',
  internal: 'inet',
  masked: 'inet',
  same: 'inet',
  homes4: 'inet',
  homes6: 'inet',
  gateways4: 'inet',
  gateways6: 'inet',
  judged: 'inet',
  judged4: 'inet',
  judged6: 'inet',
  any4: 'inet',
  at4: 'inet',
  any6: 'inet',
  at6: 'inet',
  ports: 'bridge',
  hosts4: 'bridge',
  hosts6: 'bridge',
  targets6: 'bridge',
} as const;

export const TABLE_FAMILIES = ['inet', 'bridge'] as const;

export function addElements(table: string, elements: readonly Element[]): string {
  return elements.map(({ set, key, value }) => `add element ${FAMILIES[set]} ${table} ${set} { ${key}${value === undefined ? '' : ` : ${value}`} }\n`).join('');
}

export function deleteElements(table: string, elements: readonly Element[]): string {
  return elements.map(({ set, key }) => `delete element ${FAMILIES[set]} ${table} ${set} { ${key} }\n`).join('');
}

/** Puts the whole tables in place of whatever is there, as one transaction. */
export function wholeTables(options: RulesOptions, elements: readonly Element[]): string {
  return `${noTables(options.table)}${inetTable(options)}${bridgeTable(options.table)}${addElements(options.table, elements)}`;
}

/** Removes the tables, whether or not they are there. */
export function noTables(table: string): string {
  return TABLE_FAMILIES.map((family) => `add table ${family} ${table}\ndelete table ${family} ${table}\n`).join('');
}

/**
 * `patience`: while nobody serves names, since the daemon is being started anew, a client that hears nothing asks again, and one that is refused gives up. What
 * is refused is told by the destination port of the datagram inside, behind 8 bytes of ICMP and 20 of IPv4 (RFC 792).
 */
function inetTable({ table, loopback6, hostPolicy }: RulesOptions): string {
  return `table inet ${table} {
  set bridges { type ifname; }
  set internal { type ifname; }
  set masked { type ifname; }
  set same { type ifname . ifname; }
  set homes4 { type ipv4_addr . ifname; flags interval; }
  set homes6 { type ipv6_addr . ifname; flags interval; }
  set gateways4 { type ipv4_addr . ifname; }
  set gateways6 { type ipv6_addr . ifname; }
  set judged { type inet_proto . inet_service; }
  set judged4 { type ipv4_addr . inet_proto . inet_service; }
  set judged6 { type ipv6_addr . inet_proto . inet_service; }
  map any4 { type inet_proto . inet_service : ipv4_addr . inet_service; }
  map at4 { type ipv4_addr . inet_proto . inet_service : ipv4_addr . inet_service; }
  map any6 { type inet_proto . inet_service : ipv6_addr . inet_service; }
  map at6 { type ipv6_addr . inet_proto . inet_service : ipv6_addr . inet_service; }

  chain guard {
    type filter hook prerouting priority raw; policy accept;
    iifname != @bridges return
    ip saddr 127.0.0.0/8 drop
    ip daddr 127.0.0.0/8 drop
  }
${hostPolicy}
  chain publish {
    dnat ip to ip daddr . meta l4proto . th dport map @at4
    dnat ip to meta l4proto . th dport map @any4
    dnat ip6 to ip6 daddr . meta l4proto . th dport map @at6
    dnat ip6 to meta l4proto . th dport map @any6
  }

  chain prerouting {
    type nat hook prerouting priority -100; policy accept;
    iifname != "lo" ip daddr 127.0.0.0/8 return
    meta l4proto { tcp, udp } th dport 53 ip daddr . iifname @gateways4 return
    meta l4proto { tcp, udp } th dport 53 ip6 daddr . iifname @gateways6 return
    fib daddr type local jump publish
  }

  chain output {
    type nat hook output priority -100; policy accept;
    ${loopback6 ? '' : 'ip6 daddr ::1 return'}
    fib daddr type local jump publish
  }

  chain postrouting {
    type nat hook postrouting priority 100; policy accept;
    iifname @masked oifname != @bridges masquerade
    oifname != @bridges return
    ip saddr 127.0.0.0/8 masquerade
    ip6 saddr ::1 masquerade
    ct status dnat ip saddr . oifname @homes4 masquerade
    ct status dnat ip6 saddr . oifname @homes6 masquerade
  }

  chain forward {
    type filter hook forward priority 0; policy accept;
    iifname . oifname @same return
    iifname @internal drop
    oifname != @bridges return
    ct state established,related return
    oifname @internal drop
    ct status dnat return
    drop
  }

  chain patience {
    type filter hook output priority 0; policy accept;
    oifname @bridges icmp type destination-unreachable icmp code port-unreachable @th,240,16 53 drop
  }

  chain input {
    type filter hook input priority 0; policy accept;
    iifname != @internal return
    ct state established,related return
    ip daddr . iifname @gateways4 return
    ip6 daddr . iifname @gateways6 return
    ip6 daddr { fe80::/10, ff00::/8 } return
    drop
  }
}
`;
}

/** What comes in by a container's port of a bridge must bear that container's own addresses: else one could speak for another, or be taken for the router. */
function bridgeTable(table: string): string {
  return `table bridge ${table} {
  set ports { type ifname; }
  set hosts4 { type ifname . ether_addr . ipv4_addr; }
  set hosts6 { type ifname . ether_addr . ipv6_addr; }
  set targets6 { typeof iifname . @th,64,128; }

  chain guard {
    type filter hook prerouting priority -300; policy accept;
    iifname != @ports return
    ether type ip iifname . ether saddr . ip saddr @hosts4 return
    ether type arp iifname . ether saddr . arp saddr ip @hosts4 iifname . arp saddr ether . arp saddr ip @hosts4 return
    ether type != ip6 drop
    icmpv6 type nd-router-advert drop
    icmpv6 type nd-redirect drop
    icmpv6 type nd-neighbor-advert iifname . @th,64,128 != @targets6 drop
    iifname . ether saddr . ip6 saddr @hosts6 return
    drop
  }
}
`;
}
