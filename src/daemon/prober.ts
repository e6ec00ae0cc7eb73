import type { Duplex } from 'node:stream';
import type { ContainerEngine, ContainerId, ExitRecord } from '../engine/engine.ts';
import type { ImageHealthcheck } from '../engine/images/oci-image.ts';
import type { ImageEngine } from '../engine/images.ts';
import { readFrames } from '../lib/attach-frames.ts';
import type { Clock } from '../lib/clock.ts';
import { MooringError } from '../lib/errors.ts';
import type { Prober } from '../reconcile/prober.ts';

/** What is kept of what a probe writes. */
const MAX_OUTPUT = 4_096;
/** How long one that was killed may take to be gone; its descendants may hold its output open for ever. Milliseconds. */
const LAST_PATIENCE = 5_000;
/** Images whose health checks are remembered: an image never changes, and each start asks. */
const REMEMBERED = 256;

/** Probes by processes that the engine adds to the container. */
export function createProber(engine: Pick<ContainerEngine, 'exec' | 'attachExec' | 'killExec'>, images: Pick<ImageEngine, 'inspect'>, clock: Clock): Prober {
  const remembered = new Map<string, Promise<ImageHealthcheck | null | undefined>>();
  return {
    imageHealthcheck(imageId) {
      const known = remembered.get(imageId);
      if (known !== undefined) return known;
      const found = images.inspect(imageId).then(({ config }) => config.config?.Healthcheck);
      found.catch(() => remembered.delete(imageId));
      if (remembered.size === REMEMBERED) remembered.delete(remembered.keys().next().value ?? '');
      remembered.set(imageId, found);
      return found;
    },

    async probe(id, command, timeoutMs) {
      const ended = Promise.withResolvers<ExitRecord | undefined>();
      const process = await engine.exec(id, { command }, ended.resolve);
      if ('exitCode' in process) return { exitCode: process.exitCode, output: process.message };
      const output: Buffer[] = [];
      const reading = collect(await attached(engine, id, process.id), output);
      const text = (): string => Buffer.concat(output).toString('utf8');
      const exit = await within(Promise.all([ended.promise, reading]).then(([end]) => end ?? lost), timeoutMs, clock);
      if (exit === lost) throw new MooringError('Unavailable', 'nobody knows how the probe ended');
      if (exit !== undefined) return { exitCode: exit.exitCode, output: text() };
      engine.killExec(process.id);
      await within(ended.promise.then(() => lost), LAST_PATIENCE, clock);
      return { exitCode: -1, output: `Health check exceeded timeout (${timeoutMs / 1000}s)${output.length > 0 ? `: ${text()}` : ''}` };
    },
  };
}

const lost = Symbol('lost');

/** Undefined for what takes longer. */
async function within<T>(work: Promise<T>, milliseconds: number, clock: Clock): Promise<T | undefined> {
  const late = Promise.withResolvers<undefined>();
  const timer = clock.setTimeout(() => late.resolve(undefined), milliseconds);
  try {
    return await Promise.race([work, late.promise]);
  } finally {
    clock.clearTimeout(timer);
  }
}

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
