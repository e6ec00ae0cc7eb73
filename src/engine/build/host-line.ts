import { isIP } from 'node:net';

import { MooringError } from '../../lib/errors.ts';

/** `name:address` or `name=address` as a line of hosts(5). Throws `Invalid`. */
export function hostLine(text: string): string {
  const [, name = '', address = ''] = /^([^:=\s]+)[:=]\[?([^\]\s]+)\]?$/.exec(text) ?? [];
  if (isIP(address) === 0 || !/^[A-Za-z0-9._-]+$/.test(name)) throw new MooringError('Invalid', `"${text}" is no host and address`, { fix: 'write it like name:10.0.0.1' });
  return `${address}\t${name}`;
}
