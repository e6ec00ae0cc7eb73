import { messageOf, MooringError } from '../../../lib/errors.ts';
import type { ImageReference } from '../../../spec/image-reference.ts';
import { endpointsOf, type RegistrySettings } from './registry-settings.ts';
import { Repository } from './repository.ts';

/**
 * Does something with a repository at the first place that can: the registry's mirrors in their order, then the registry itself. When none
 * can, the registry's own error is thrown, with what the mirrors said.
 */
export async function fromEndpoints<T>(reference: ImageReference, options: { readonly settings: RegistrySettings; readonly signal: AbortSignal | undefined }, work: (repository: Repository) => Promise<T>): Promise<T> {
  const { settings, signal } = options;
  const refusals: string[] = [];
  for (const endpoint of endpointsOf(reference, settings)) {
    try {
      await using repository = await Repository.open(reference, endpoint, { actions: 'pull', settings, signal });
      return await work(repository);
    } catch (error) {
      signal?.throwIfAborted();
      if (!(error instanceof MooringError)) throw error;
      if (endpoint.mirrorOf === undefined) throw withRefusals(error, refusals);
      refusals.push(`mirror ${endpoint.host}: ${messageOf(error)}`);
    }
  }
  throw new MooringError('Internal', `there is no place to ask for ${reference.repository}`);
}

function withRefusals(error: MooringError, refusals: readonly string[]): MooringError {
  if (refusals.length === 0) return error;
  return new MooringError(error.code, `${error.message}; before that, ${refusals.join('; ')}`, { cause: error.cause, ...(error.fix !== undefined && { fix: error.fix }) });
}
