import type { ContainerSpec } from '../spec/container.ts';

export type RestartPolicy = ContainerSpec['restartPolicy'];

/** Whether a process that ended by itself with this exit code is to run again. */
export function restartsAfter(policy: RestartPolicy, exitCode: number): boolean {
  switch (policy) {
    case 'Always':
      return true;
    case 'OnFailure':
      return exitCode !== 0;
    case 'Never':
      return false;
  }
}
