import { z } from 'zod';
import { durationField } from './duration-field.ts';
import { kernelText } from './grammar.ts';

const LEAST = '1ms';

export const healthcheckSchema = z
  .strictObject({
    disabled: z.boolean().meta({ description: 'Do not check, though the image asks for it.' }).default(false),
    command: z
      .array(kernelText())
      .min(1)
      .max(1024)
      .meta({ description: "What to run in the container, beside its program; exit status 0 says that all is well. No shell is involved: write `[sh, -c, …]` for one. Without it, the image's.", 'x-kubernetes-list-type': 'atomic' })
      .optional(),
    interval: durationField(LEAST, "How long to wait before each probe, once the last has ended. A duration from `1ms` to `24h`. Without it, the image's, else `30s`.").optional(),
    timeout: durationField(LEAST, "How long a probe may take; then it is killed, and has failed. A duration from `1ms` to `24h`. Without it, the image's, else `30s`.").optional(),
    startPeriod: durationField('0s', "How long after the start failures do not count, unless a probe has passed. A duration up to `24h`. Without it, the image's, else `0s`.").optional(),
    startInterval: durationField(LEAST, "What `interval` is within `startPeriod` until a probe has passed. A duration from `1ms` to `24h`. Without it, the image's, else `5s`.").optional(),
    onFailure: z.enum(['None', 'Restart']).meta({ description: 'What happens when it is unhealthy. `None`: it is told. `Restart`: the container is ended, and restarted as `restartPolicy` and `restartBackoff` say.' }).default('None'),
    retries: z.int().min(1).max(1000).meta({ description: "How many failures in a row make it unhealthy. Without it, the image's, else 3." }).optional(),
  })
  .meta({ description: 'How to see whether the program is well, while it runs. Without it, as the image says (`HEALTHCHECK`), if it does. The outcome is told in the condition `Healthy`; one that is not healthy is not `Ready`.' });

export type Healthcheck = z.output<typeof healthcheckSchema>;
