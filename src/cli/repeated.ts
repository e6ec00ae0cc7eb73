import { Option } from 'commander';

/** A flag that may be given several times; its values in their order. */
export function repeated(flags: string, description: string): Option {
  return new Option(flags, description).argParser<string[]>((value, before) => [...(before ?? []), value]);
}
