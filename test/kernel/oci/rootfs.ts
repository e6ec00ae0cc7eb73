import { copyFile, mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { succeed } from './command.ts';

/** Makes a root file system of busybox: all its applets, root and daemon as users. */
export async function makeRootfs(folder: string): Promise<void> {
  for (const name of ['bin', 'dev', 'etc', 'proc', 'root', 'sys', 'tmp']) await mkdir(join(folder, name), { recursive: true });
  await copyFile('/bin/busybox', join(folder, 'bin/busybox'));
  const applets = (await succeed('/bin/busybox', ['--list'])).split('\n').filter((name) => name !== 'busybox');
  await Promise.all(applets.map((name) => symlink('busybox', join(folder, 'bin', name))));
  await writeFile(join(folder, 'etc/passwd'), 'root:x:0:0:root:/root:/bin/sh\ndaemon:x:1:1:daemon:/:/bin/sh\n');
  await writeFile(join(folder, 'etc/group'), 'root:x:0:\ndaemon:x:1:\n');
}
