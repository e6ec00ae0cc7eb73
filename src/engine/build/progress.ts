/** What a build tells as it goes. A step is known by its `id`, unique in the build. */
export type BuildProgress =
  | { readonly type: 'STEP'; readonly id: number; readonly stage: string; readonly text: string; readonly at: string; readonly state: StepState; readonly seconds?: number }
  | { readonly type: 'OUTPUT'; readonly id: number; readonly stream: 'stdout' | 'stderr'; readonly text: string }
  | { readonly type: 'DETAIL'; readonly id: number; readonly text: string }
  | { readonly type: 'WARNING'; readonly rule: string; readonly message: string; readonly at: string };

export type StepState = 'Started' | 'Cached' | 'Done' | 'Failed';
