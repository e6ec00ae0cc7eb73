import type { ImageRuntimeConfig } from '../../../engine/images/oci-image.ts';
import type { CreateBody } from './create-body.ts';
import { bad } from './refusal.ts';
import type { SpecInput } from './spec-input.ts';

const SHELL = ['/bin/sh', '-c'];
/** Nanoseconds, as all durations here. */
const LEAST = 1_000_000;

/** Probes over those of the image; what is empty or zero stays as the image has it. */
export function healthOf({ Healthcheck: asked }: CreateBody, image: ImageRuntimeConfig): Pick<SpecInput, 'healthcheck'> {
  if (!asked) return {};
  const [kind, ...words] = asked.Test;
  if (kind === 'NONE') return { healthcheck: { disabled: true } };
  if (kind !== undefined && kind !== 'CMD' && kind !== 'CMD-SHELL') throw bad(`unknown type "${kind}" in healthcheck`);
  if (asked.Retries < 0) throw bad('Retries in Healthcheck cannot be negative');
  const command = kind === 'CMD-SHELL' ? [...(image.Shell ?? SHELL), ...words] : words;
  const healthcheck = {
    ...(kind !== undefined && { command }),
    ...duration('interval', 'Interval', asked.Interval),
    ...duration('timeout', 'Timeout', asked.Timeout),
    ...duration('startPeriod', 'StartPeriod', asked.StartPeriod),
    ...duration('startInterval', 'StartInterval', asked.StartInterval),
    ...(asked.Retries > 0 && { retries: asked.Retries }),
  };
  return Object.keys(healthcheck).length > 0 ? { healthcheck } : {};
}

function duration(field: 'interval' | 'timeout' | 'startPeriod' | 'startInterval', name: string, nanos: number): Partial<Record<typeof field, string>> {
  if (nanos !== 0 && nanos < LEAST) throw bad(`${name} in Healthcheck cannot be less than 1ms`);
  return nanos === 0 ? {} : { [field]: `${nanos}ns` };
}
