import { ArchiverProcess } from './archiver-process.ts';

/** Settles once everything that was written to the file system of `folder` is on disk: syncfs(2). */
export async function flushToDisk(archiver: string, folder: string): Promise<void> {
  using process = new ArchiverProcess(archiver, ['flush', folder]);
  await process.report('flush to disk');
}
