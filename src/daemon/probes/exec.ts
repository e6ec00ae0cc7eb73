import type { Duplex } from 'node:stream';
import type { ContainerEngine, ContainerId, ExitRecord } from '../../engine/engine.ts';
import { readFrames } from '../../lib/attach-frames.ts';
import type { Clock } from '../../lib/clock.ts';
import { MooringError } from '../../lib/errors.ts';
import type { ProbeAnswer } from '../../reconcile/prober.ts';
import { byDeadline } from './deadline.ts';
import { MAX_OUTPUT } from './output.ts';

/** How long one that was killed may take to be gone; its descendants may hold its output open for ever. Milliseconds. */
const LAST_PATIENCE = 5_000;

export type ProbeEngine = Pick<ContainerEngine, 'exec' | 'attachExec' | 'killExec'>;

/** Probes by a process that the engine adds to the container; one that takes too long is killed. */
export async function probeByExec(engine: ProbeEngine, id: ContainerId, command: readonly string[], timeoutMs: number, clock: Clock): Promise<ProbeAnswer> {
  const ended = Promise.withResolvers<ExitRecord | undefined>();
  const process = await engine.exec(id, { command }, ended.resolve);
  if ('exitCode' in process) return { exitCode: process.exitCode, output: process.message };
  const output: Buffer[] = [];
  const reading = collect(await attached(engine, id, process.id), output);
  const text = (): string => Buffer.concat(output).toString('utf8');
  const exit = await byDeadline(timeoutMs, clock, async () => (await Promise.all([ended.promise, reading]))[0] ?? lost);
  if (exit === lost) throw new MooringError('Unavailable', 'nobody knows how the probe ended');
  if (exit !== undefined) return { exitCode: exit.exitCode, output: text() };
  engine.killExec(process.id);
  await byDeadline(LAST_PATIENCE, clock, () => ended.promise);
  return { exitCode: -1, output: `Health check exceeded timeout (${timeoutMs / 1000}s)${output.length > 0 ? `: ${text()}` : ''}` };
}

const lost = Symbol('lost');

/** Undefined where it has ended already. */
async function attached(engine: Pick<ContainerEngine, 'attachExec'>, id: ContainerId, exec: string): Promise<Duplex | undefined> {
  try {
    return await engine.attachExec(id, exec);
  } catch (error) {
    if (error instanceof MooringError && error.code === 'NotFound') return undefined;
    throw error;
  }
}

/** Reads to the end, and keeps the beginning. */
async function collect(stream: Duplex | undefined, output: Buffer[]): Promise<void> {
  if (stream === undefined) return;
  let room = MAX_OUTPUT;
  for await (const frame of readFrames(stream)) {
    if (frame.kind !== 'stdout' && frame.kind !== 'stderr') continue;
    const kept = frame.bytes.subarray(0, room);
    room -= kept.length;
    if (kept.length > 0) output.push(Buffer.from(kept));
  }
}
