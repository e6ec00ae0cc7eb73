import { setTimeout as sleep } from 'node:timers/promises';
import type { ErrorCode } from '../../lib/errors.ts';
import { MooringError } from '../../lib/errors.ts';
import type { ResourceKey } from '../../reconcile/desired.ts';
import { LABEL_VALUE, parseQualifiedName } from '../../spec/kubernetes-names.ts';
import type { Resource } from '../../spec/resource.ts';
import { validate } from '../../spec/validate.ts';
import { DockerError } from './error-reply.ts';
import type { DockerServices } from './docker-services.ts';

/** Where a record of the API says that it was said. */
const LOCATION = 'docker';

/** A document that the API makes. Throws 400 with what is wrong. */
export function checkedResource<Kind extends Resource['kind']>(document: { readonly kind: Kind } & Readonly<Record<string, unknown>>): Extract<Resource, { kind: Kind }> {
  const result = validate(document);
  if ('faults' in result) throw new DockerError(400, result.faults.map(({ path, message, fix }) => `${path.join('.')} ${message}${fix === undefined ? '' : ` (${fix})`}`).join('; '));
  return result.resource as Extract<Resource, { kind: Kind }>;
}

/** Docker's labels that can be a resource's, too; all of them are in the request that is kept with it. */
export function resourceLabels(labels: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(labels).filter(([key, value]) => isLabelKey(key) && value.length <= LABEL_VALUE.maxLength && LABEL_VALUE.pattern.test(value)));
}

function isLabelKey(key: string): boolean {
  try {
    parseQualifiedName(key);
    return true;
  } catch {
    return false; // it is a label of Docker's alone
  }
}

const CODES: readonly ErrorCode[] = ['Invalid', 'NotFound', 'Conflict', 'Unsupported', 'Unavailable', 'Internal'];

/** Declares a network or a volume under source `api`, and waits until it is there. What can't be made is not kept, either. */
export async function declare({ desired, supplies }: DockerServices, resource: Exclude<Resource, { kind: 'Container' }>, key: ResourceKey): Promise<void> {
  desired.apply('api', [{ resource, location: LOCATION }]);
  const standing = await supplies.settle(key);
  if (standing?.state !== 'Failed') return;
  desired.delete('api', [key]);
  throw new MooringError(CODES.find((code) => code === standing.reason) ?? 'Conflict', standing.message);
}

/** Waits until something that the reconciler brings about is so. Throws 503 when it takes too long. */
export async function untilSo({ reconciler }: Pick<DockerServices, 'reconciler'>, what: string, isSo: () => boolean, signal: AbortSignal): Promise<void> {
  const timeout = AbortSignal.timeout(PATIENCE_MS);
  const either = AbortSignal.any([signal, timeout]);
  const { promise, resolve } = Promise.withResolvers<void>();
  const unsubscribe = reconciler.subscribe(() => {
    if (isSo()) resolve();
  });
  try {
    if (isSo()) return;
    await Promise.race([promise, sleep(PATIENCE_MS * 2, undefined, { signal: either })]);
  } catch (error) {
    if (!timeout.aborted) throw error;
    throw new DockerError(503, `${what} takes longer than ${PATIENCE_MS / 1000} s; it goes on`);
  } finally {
    unsubscribe();
  }
}

const PATIENCE_MS = 30_000;
