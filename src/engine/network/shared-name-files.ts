import { copyFile, writeFile } from 'node:fs/promises';
import { errnoOf } from '../../lib/errors.ts';
import { nameFilePaths } from './name-files.ts';

/** Gives a container the names that the owner of its network has: that one's files, or the node's where it has none of its own. */
export async function copyNameFiles(ownerBundle: string, bundle: string, hostname: string): Promise<void> {
  const [from, to] = [nameFilePaths(ownerBundle), nameFilePaths(bundle)];
  const copied = (['/etc/hosts', '/etc/resolv.conf'] as const).map(async (file) => {
    await copyFile(from[file], to[file]).catch(orElse(() => copyFile(file, to[file]))).catch(orElse(() => writeFile(to[file], '')));
  });
  await Promise.all([...copied, writeFile(to['/etc/hostname'], `${hostname}\n`)]);
}

function orElse(work: () => Promise<void>): (error: unknown) => Promise<void> {
  return (error) => {
    if (errnoOf(error) !== 'ENOENT') throw error;
    return work();
  };
}
