import { ArchiverProcess } from './archiver-process.ts';
import { type Digest, parseDigest } from './digest.ts';

/** An overlay's writable folder, and what in it is not the container's doing. */
export interface Upper {
  /** Absolute. */
  readonly folder: string;
  /** Folders of the layers below, top first. */
  readonly lower: readonly string[];
  /** Mount points that a runtime may have made there (absolute, without links): left out where they are empty, with the folders that are there only for them. */
  readonly omitEmpty?: readonly string[];
  /** Seconds since the epoch: later dates become this one. */
  readonly clampTime?: number;
}

/**
 * The changes in `upper` as the tar archive of a layer: entries in the order of their names' bytes, deletion marks, holes, attributes, nanoseconds; the same
 * folder gives the same bytes. Packed by a process that is shut in with the folder, which may be in use. Throws `Invalid` for what a layer can't hold.
 */
export async function* packUpper(archiver: string, upper: Upper, signal?: AbortSignal): AsyncGenerator<Buffer, void, void> {
  using packer = new ArchiverProcess(archiver, ['pack', ...argumentsOf(upper)], { signal });
  yield* packer.stdout as AsyncIterable<Buffer>;
  signal?.throwIfAborted();
  await packer.report('pack a layer');
}

/** The same into `file`, an open one: nothing of it passes through here. Gives its digest. */
export async function packUpperInto(archiver: string, upper: Upper, file: number, signal?: AbortSignal): Promise<Digest> {
  using packer = new ArchiverProcess(archiver, ['pack', ...argumentsOf(upper), '--digest', 'told'], { signal, output: file });
  const { digest } = await packer.report('pack a layer');
  return parseDigest(`sha256:${digest}`);
}

/** The same for who reads the file meanwhile, and hashes it: a byte for each time that it has grown. */
export async function* growUpperInto(archiver: string, upper: Upper, file: number, signal?: AbortSignal): AsyncGenerator<Buffer, void, void> {
  using packer = new ArchiverProcess(archiver, ['pack', ...argumentsOf(upper), '--growth', 'told'], { signal, output: file });
  yield* packer.growth as AsyncIterable<Buffer>;
  signal?.throwIfAborted();
  await packer.report('pack a layer');
}

/** Makes `upper`, which nobody uses any more, what unpacking its archive would make: it can then be a layer as it is. */
export async function cleanUpper(archiver: string, upper: Upper, signal?: AbortSignal): Promise<void> {
  using cleaner = new ArchiverProcess(archiver, ['clean', ...argumentsOf(upper)], { signal });
  await cleaner.report('make a layer of a writable folder');
}

function argumentsOf({ folder, lower, omitEmpty = [], clampTime }: Upper): string[] {
  return [folder, ...lower.flatMap((layer) => ['--below', layer]), ...omitEmpty.flatMap((path) => ['--omit', path]), ...(clampTime === undefined ? [] : ['--latest', String(clampTime)])];
}
