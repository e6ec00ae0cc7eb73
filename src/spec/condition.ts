/** One row of `status.conditions`, as Kubernetes' metav1.Condition has it. */
export interface Condition {
  readonly type: 'Ready' | 'Progressing' | 'Stalled';
  readonly status: 'True' | 'False' | 'Unknown';
  /** CamelCase, for programs. */
  readonly reason: string;
  /** For people. */
  readonly message: string;
  /** RFC 3339, changes with `status` only. */
  readonly lastTransitionTime: string;
  readonly observedGeneration: number;
}

/** `status` of a `Container`. Times are RFC 3339. */
export interface ContainerStatus {
  readonly conditions: readonly Condition[];
  readonly observedGeneration: number;
  readonly containerID?: string;
  readonly imageID?: string;
  readonly pid?: number;
  readonly startedAt?: string;
  readonly finishedAt?: string;
  readonly exitCode?: number;
  readonly restartCount: number;
  readonly lastDrift?: { readonly kind: string; readonly message: string; readonly time: string };
}
