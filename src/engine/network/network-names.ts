import { createHash, randomBytes } from 'node:crypto';

/** IFNAMSIZ less its NUL. */
const LINK_NAME_LENGTH = 15;

/** The bridge of an instance: `mr-default`; a hash where the instance's name is too long for a link. */
export function bridgeName(instance: string): string {
  const plain = `mr-${instance}`;
  if (plain.length <= LINK_NAME_LENGTH) return plain;
  return `mr-${createHash('sha256').update(instance).digest('hex').slice(0, LINK_NAME_LENGTH - 3)}`;
}

/** The nftables table of an instance, in family inet. */
export function tableName(instance: string): string {
  return `mooring-${instance}`;
}

/** A port of the bridge. Each run of a container has a new one: that of the run before may still be on its way out. */
export function portName(): string {
  return `mv${randomBytes(6).toString('hex')}`;
}
