import type { ContainerSpecInput } from '../../translate/draft.ts';
import type { Field } from '../../translate/field.ts';
import { FieldError } from '../../translate/problem-list.ts';
import { fieldsAmong, flagOf, integerOf, isList, textOf } from '../../translate/read-field.ts';

type Healthcheck = NonNullable<ContainerSpecInput['healthcheck']>;

/** How a service is seen to be well. */
export function healthcheckOf(field: Field): Healthcheck {
  const given = fieldsAmong(field, ['disable', 'test', 'interval', 'timeout', 'retries', 'start_period', 'start_interval']);
  const test = given.test === undefined ? {} : testOf(given.test);
  if (given.disable !== undefined && flagOf(given.disable)) return { disabled: true };
  return {
    ...test,
    ...(given.interval !== undefined && { interval: textOf(given.interval) }),
    ...(given.timeout !== undefined && { timeout: textOf(given.timeout) }),
    ...(given.start_period !== undefined && { startPeriod: textOf(given.start_period) }),
    ...(given.start_interval !== undefined && { startInterval: textOf(given.start_interval) }),
    ...(given.retries !== undefined && { retries: integerOf(given.retries) }),
  };
}

/** A text for a shell, or a list that begins with NONE, CMD or CMD-SHELL. */
function testOf(field: Field): Healthcheck {
  const shell = (text: string): Healthcheck => ({ command: ['/bin/sh', '-c', text] });
  if (!isList(field)) return shell(textOf(field));
  const [kind, ...words] = field.value.map(textOf);
  if (kind === 'NONE') return { disabled: true };
  if (kind === 'CMD-SHELL' && words.length === 1) return shell(words[0] ?? '');
  if (kind === 'CMD' && words.length > 0) return { command: words };
  throw new FieldError(field, 'must begin with NONE, CMD or CMD-SHELL', 'write [CMD, program, argument] or [CMD-SHELL, "a line"]');
}
