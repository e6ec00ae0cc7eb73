import type { ContainerSpecInput } from '../../translate/draft.ts';
import type { Field } from '../../translate/field.ts';
import { FieldError } from '../../translate/problem-list.ts';
import { entriesOf, fieldsAmong, integerOf, textOf, wordOf } from '../../translate/read-field.ts';
import { dockerBytes } from '../../translate/units.ts';

/** Docker's drivers that keep the log on the node. */
const DRIVERS = ['json-file', 'local'] as const;
/** How the log is kept on disk, or what is told of the container beside each line. */
const WITHOUT_EFFECT = new Set(['compress', 'labels', 'labels-regex', 'env', 'env-regex', 'tag']);

/** How what a service writes is logged. */
export function loggingOf(field: Field): NonNullable<ContainerSpecInput['logging']> {
  const { driver, options } = fieldsAmong(field, ['driver', 'options']);
  if (driver !== undefined && !(DRIVERS as readonly string[]).includes(textOf(driver))) {
    throw new FieldError(driver, `there is no log driver ${textOf(driver)}`, 'use json-file or local; the log is a file that log shippers read');
  }
  const logging: { mode?: 'Block' | 'Drop'; maxSize?: number; maxFiles?: number } = {};
  for (const [name, value] of options === undefined ? [] : entriesOf(options)) {
    if (name === 'max-size') logging.maxSize = dockerBytes(textOf(value));
    else if (name === 'max-file') logging.maxFiles = integerOf(value);
    else if (name === 'mode') logging.mode = wordOf(value, ['blocking', 'non-blocking']) === 'blocking' ? 'Block' : 'Drop';
    else if (!WITHOUT_EFFECT.has(name)) throw new FieldError(value, 'is an option that is not supported', 'the options here are max-size, max-file and mode', true);
  }
  return logging;
}
