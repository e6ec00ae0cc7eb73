/** What a build tells as it goes. A step is known by its `id`, unique in the build. */
export type BuildProgress =
  | BuildStep
  | { readonly type: 'OUTPUT'; readonly id: number; readonly stream: 'stdout' | 'stderr'; readonly text: string }
  | { readonly type: 'DETAIL'; readonly id: number; readonly text: string }
  | { readonly type: 'WARNING'; readonly rule: string; readonly message: string; readonly at: string };

export interface BuildStep {
  readonly type: 'STEP';
  readonly id: number;
  readonly stage: string;
  readonly text: string;
  readonly at: string;
  readonly state: StepState;
  readonly seconds?: number;
  /** Which instruction of how many up to the target's end; undefined for one that a base image brings along. */
  readonly place?: { readonly number: number; readonly count: number };
  /** How the command of a RUN ended that failed. */
  readonly exitCode?: number;
}

export type StepState = 'Started' | 'Cached' | 'Done' | 'Failed';
