import type { z } from 'zod';
import { MooringError } from '../lib/errors.ts';

/** One rule in the Common Expression Language, as `x-kubernetes-validations` takes it. */
export interface CelRule {
  readonly rule: string;
  readonly message: string;
}

/** What a check that looks at several fields at once has to say about one of them, by its path from the checked value. */
export interface Finding {
  readonly path: (string | number)[];
  readonly message: string;
  readonly fix?: string;
}

/**
 * The check of a schema, made of a function that gives back the value's canonical form or throws `Invalid`.
 * The issue carries the error's fix in `params.fix`.
 */
export function checkedBy<T>(canonical: (value: T) => T): (payload: z.core.ParsePayload<T>) => void {
  return (payload) => {
    try {
      payload.value = canonical(payload.value);
    } catch (error) {
      if (!(error instanceof MooringError) || error.code !== 'Invalid') throw error;
      payload.issues.push({ code: 'custom', message: error.message, input: payload.value, params: { fix: error.fix } });
    }
  };
}

/** The check of a schema that may find fault with several places below the value. */
export function foundBy<T>(find: (value: T) => readonly Finding[]): (payload: z.core.ParsePayload<T>) => void {
  return (payload) => {
    for (const { path, message, fix } of find(payload.value)) {
      payload.issues.push({ code: 'custom', message, input: payload.value, path, params: { fix } });
    }
  };
}
