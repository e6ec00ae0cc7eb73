import { rm, symlink } from 'node:fs/promises';
import path from 'node:path';

/** A namespace that we hold by a descriptor, by a path that the runtime can open; until it is disposed of, or this daemon ends. */
export async function namespaceLink(folder: string, name: string, namespace: number): Promise<AsyncDisposable & { readonly path: string }> {
  const link = path.join(folder, name);
  await rm(link, { force: true });
  await symlink(`/proc/${process.pid}/fd/${namespace}`, link);
  return { path: link, [Symbol.asyncDispose]: () => rm(link, { force: true }) };
}
