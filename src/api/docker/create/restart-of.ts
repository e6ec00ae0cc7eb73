import type { HostConfig } from './create-body.ts';
import { bad } from './refusal.ts';
import type { SpecInput } from './spec-input.ts';

/** dockerd's waits between restarts. */
const BACKOFF = { initial: '100ms', max: '1m', resetAfter: '10s' };

/** The longest there is: dockerd goes on counting retries, however long a run was. */
const NEVER = '24h';

export function restartOf({ RestartPolicy: policy, AutoRemove: autoRemove }: HostConfig): Pick<SpecInput, 'restartPolicy' | 'restartBackoff'> {
  const { Name: name = '', MaximumRetryCount: retries = 0 } = policy ?? {};
  if (autoRemove && name !== '' && name !== 'no') throw bad("can't create 'AutoRemove' container with restart policy");
  if (retries !== 0 && name !== 'on-failure') throw bad(`maximum retry count cannot be used with restart policy '${name}'`);
  if (retries < 0) throw bad('maximum retry count cannot be negative');
  switch (name) {
    case '':
    case 'no':
      return { restartPolicy: 'Never' };
    case 'always':
    case 'unless-stopped':
      return { restartPolicy: 'Always', restartBackoff: BACKOFF };
    case 'on-failure':
      return { restartPolicy: 'OnFailure', restartBackoff: retries > 0 ? { ...BACKOFF, resetAfter: NEVER, maxRetries: retries } : BACKOFF };
    default:
      throw bad(`invalid restart policy '${name}'`);
  }
}
