import type { ContainerSpec } from '../spec/container.ts';

/** What of a spec says whether it runs again. */
export type RestartRules = Pick<ContainerSpec, 'restartPolicy' | 'restartBackoff'>;

/** Whether a process that ended by itself with this exit code, for the `crashes`th time in a row, is to run again. */
export function restartsAfter(rules: RestartRules, exitCode: number, crashes: number): boolean {
  if (isExhausted(rules, crashes)) return false;
  switch (rules.restartPolicy) {
    case 'Always':
      return true;
    case 'OnFailure':
      return exitCode !== 0;
    case 'Never':
      return false;
  }
}

/** Whether there have been as many restarts in a row as there may be. */
export function isExhausted({ restartBackoff: { maxRetries } }: RestartRules, crashes: number): boolean {
  return maxRetries !== undefined && crashes > maxRetries;
}

/** `restartPolicy is OnFailure`, for people. */
export function describeRestarts(rules: RestartRules, crashes: number): string {
  const { restartPolicy, restartBackoff } = rules;
  return `restartPolicy is ${restartPolicy}${isExhausted(rules, crashes) ? `, with at most ${restartBackoff.maxRetries} restarts in a row` : ''}`;
}
