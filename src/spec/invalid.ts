import { MooringError } from '../lib/errors.ts';

/** The error that every parser of this room throws: `message` reads well after the name of the field it concerns. */
export function invalid(message: string, fix?: string): MooringError {
  return new MooringError('Invalid', message, fix === undefined ? {} : { fix });
}
