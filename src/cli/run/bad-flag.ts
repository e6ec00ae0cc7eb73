import { MooringError } from '../../lib/errors.ts';

/** The error for a flag's value: which flag, which value, what is wrong with it, and how it is written. */
export function badFlag(flag: string, value: string, why: string, fix?: string): MooringError {
  return new MooringError('Invalid', `${flag} "${value}": ${why}`, fix === undefined ? {} : { fix });
}
