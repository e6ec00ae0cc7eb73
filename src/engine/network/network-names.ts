import { createHash, randomBytes } from 'node:crypto';
import { DEFAULT_NETWORK_NAME } from '../../spec/container-network.ts';

/** IFNAMSIZ less its NUL. */
const LINK_NAME_LENGTH = 15;

/** A network's name within an instance: `default`, or `<namespace>/<name>`. */
export function networkKey(namespace: string, name: string): string {
  return name === DEFAULT_NETWORK_NAME ? name : `${namespace}/${name}`;
}

/** The bridge of a network: `mr-default` for the default network of that instance; a hash where that is too long for a link, and for every other network. */
export function bridgeName(instance: string, network: string = DEFAULT_NETWORK_NAME): string {
  const plain = `mr-${instance}`;
  if (network === DEFAULT_NETWORK_NAME && plain.length <= LINK_NAME_LENGTH) return plain;
  const whole = network === DEFAULT_NETWORK_NAME ? instance : `${instance}\0${network}`;
  return `mr-${createHash('sha256').update(whole).digest('hex').slice(0, LINK_NAME_LENGTH - 3)}`;
}

/** What a bridge says that it is, by which it is told from another's of the same name. */
export function bridgeAlias(instance: string, network: string): string {
  return network === DEFAULT_NETWORK_NAME ? `Mooring's bridge of instance ${instance}` : `Mooring's bridge of network ${network} of instance ${instance}`;
}

/** The nftables tables of an instance: one in family inet, one in family bridge. */
export function tableName(instance: string): string {
  return `mooring-${instance}`;
}

/** A port of the bridge. Each run of a container has a new one: that of the run before may still be on its way out. */
export function portName(): string {
  return `mv${randomBytes(6).toString('hex')}`;
}

/** The container's interface in that place. */
export function interfaceName(slot: number): string {
  return `eth${slot}`;
}
