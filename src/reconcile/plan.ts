/**
 * The next thing to do to a container. `plan(desired, observed, facts, now)` returns one, purely.
 * `reason` is CamelCase for programs, `message` says why to people.
 */
export type Step = { readonly reason: string; readonly message: string } & (
  | { readonly kind: 'Settled' } // nothing to do until an event or the resync
  | { readonly kind: 'Wait'; readonly until: number } // nothing to do before that instant (ms since the epoch): a backoff or a stop's grace
  | { readonly kind: 'Create' }
  | { readonly kind: 'Start' }
  | { readonly kind: 'Signal'; readonly signal: string }
  | { readonly kind: 'Kill' }
  | { readonly kind: 'RestoreLimits' }
  | { readonly kind: 'Remove' }
  | { readonly kind: 'Forget' } // neither desired nor there: the actor ends
);
