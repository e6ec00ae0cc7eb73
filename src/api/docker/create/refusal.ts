import { MooringError } from '../../../lib/errors.ts';

/** The request is wrong: 400, in dockerd's words where it has some. */
export function bad(message: string): MooringError {
  return new MooringError('Invalid', message);
}

/** The request is right, and asks for what Mooring does not do: 501. */
export function unsupported(what: string, fix: string): MooringError {
  return new MooringError('Unsupported', `${what} is not supported by Mooring`, { fix });
}
