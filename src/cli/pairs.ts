import { MooringError } from '../lib/errors.ts';

/** Values of a flag that is given as KEY=VALUE, any number of times. */
export function pairsOf(flag: string, given: readonly string[] = []): Record<string, string> {
  return Object.fromEntries(
    given.map((text) => {
      const at = text.indexOf('=');
      if (at < 1) throw new MooringError('Invalid', `--${flag} "${text}" has no value`, { fix: `write it --${flag} KEY=VALUE` });
      return [text.slice(0, at), text.slice(at + 1)];
    }),
  );
}
