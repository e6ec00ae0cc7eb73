import { z } from 'zod';

import type { ProcessIdentity } from '../../native/native.ts';
import type { ExitRecord } from '../engine.ts';

/** What the monitor says of the container in `state.json`, while the machine is up. */
export type MonitorState =
  | { readonly status: 'creating'; readonly monitor: ProcessIdentity }
  | { readonly status: 'running'; readonly monitor: ProcessIdentity; readonly init: ProcessIdentity; readonly startedAt: number };

const time = z.string().transform((text, context) => {
  const milliseconds = Date.parse(text); // finer digits are cut off
  if (Number.isNaN(milliseconds)) context.addIssue({ code: 'custom', message: `"${text}" is not an RFC 3339 time` });
  return milliseconds;
});
const identity = z.object({ pid: z.int().positive(), startTime: z.int().nonnegative() });

const stateFile = z.discriminatedUnion('status', [
  z.object({ status: z.literal('creating'), monitor: identity }),
  z.object({ status: z.literal('running'), monitor: identity, ...identity.shape, startedAt: time }),
]);

const exitFile = z.object({
  exitCode: z.int().min(0).max(255),
  signal: z.int().nullable(),
  oomKilled: z.boolean(),
  startedAt: time,
  finishedAt: time,
});

const lossFile = z.object({ lines: z.int().nonnegative(), bytes: z.int().nonnegative() });

/** Undefined for what is not a whole state file: the monitor renames it into place, so that can only be somebody else's doing. */
export function parseState(text: string): MonitorState | undefined {
  const parsed = stateFile.safeParse(json(text)).data;
  if (parsed?.status !== 'running') return parsed;
  const { status, monitor, pid, startTime, startedAt } = parsed;
  return { status, monitor, init: { pid, startTime }, startedAt };
}

/** Undefined likewise. */
export function parseExit(text: string): ExitRecord | undefined {
  return exitFile.safeParse(json(text)).data;
}

/** Undefined likewise. */
export function parseLogLoss(text: string): { readonly lines: number; readonly bytes: number } | undefined {
  return lossFile.safeParse(json(text)).data;
}

/** The exit file as the monitor writes it, for the ends that no monitor saw. */
export function formatExit(exit: ExitRecord, message: string): string {
  const { startedAt, finishedAt, ...rest } = exit;
  return JSON.stringify({ ...rest, startedAt: new Date(startedAt).toISOString(), finishedAt: new Date(finishedAt).toISOString(), message });
}

function json(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
