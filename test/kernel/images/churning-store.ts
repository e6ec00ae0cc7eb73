/** Pulls an image, takes it away and collects it, over and over, until it is killed. Arguments: root folder, image. */
import { openStore } from './store-support.ts';

const [root = '', name = ''] = process.argv.slice(2);
await using store = await openStore({ root });
// As a daemon does when it starts.
await store.dataDir.collectTemporary();
// Loads the client of registries, so that what comes next is the work itself.
await store.engine.latestDigest(name);
process.stdout.write('ready\n');
for (;;) {
  await store.engine.pull(name);
  store.engine.remove(name, { force: true });
  await store.engine.prune({ all: true, dryRun: false });
}
