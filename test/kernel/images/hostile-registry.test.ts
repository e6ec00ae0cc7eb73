import assert from 'node:assert/strict';
import { once as onceEmitted } from 'node:events';
import { readdir } from 'node:fs/promises';
import { createServer, type Server, type ServerResponse } from 'node:http';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';

import { hostileImages, type Served } from './hostile-registry.ts';
import { openStore, type TestStore } from './store-support.ts';

let served: Served = { manifests: new Map(), blobs: new Map() };

/** Says what the case at hand has it say. */
function answer(url: string, response: ServerResponse): void {
  const [, kind = '', key = ''] = /^\/v2\/evil\/(manifests|blobs)\/(.*)$/.exec(url) ?? [];
  const manifest = kind === 'manifests' ? served.manifests.get(key) : undefined;
  const blob = kind === 'blobs' ? served.blobs.get(key) : undefined;
  if (url === '/v2/') response.end('{}');
  else if (manifest?.endless === true) {
    response.setHeader('content-type', manifest.type);
    const more = (): void => {
      while (!response.destroyed && response.write(manifest.content));
    };
    response.on('drain', more);
    more();
  } else if (manifest) response.setHeader('content-type', manifest.type).end(manifest.content);
  else if (blob) response.end(blob);
  else response.writeHead(404).end('{"errors":[{"code":"NOT_FOUND"}]}');
}

async function listen(server: Server): Promise<string> {
  server.listen(0, '127.0.0.1');
  await onceEmitted(server, 'listening');
  const address = server.address();
  assert.ok(typeof address === 'object' && address !== null);
  return `127.0.0.1:${address.port}`;
}

describe('an image of a hostile registry is refused or contained', () => {
  let store: TestStore;
  let registry: string;
  let elsewhere: string;
  let strayed = 0;
  const evil = createServer((request, response) => answer(request.url ?? '', response));
  const inside = createServer((_, response) => {
    strayed++;
    response.end();
  });

  before(async () => {
    store = await openStore();
    [registry, elsewhere] = await Promise.all([listen(evil), listen(inside)]);
  });

  after(async () => {
    for (const server of [evil, inside]) {
      server.closeAllConnections();
      server.close();
    }
    await store[Symbol.asyncDispose]();
  });

  for (const { trick, serve, digest, refused, code = 'Invalid' } of hostileImages) {
    test(trick, async () => {
      served = serve({ elsewhere: `http://${elsewhere}/secret` });
      const name = `${registry}/evil${digest === undefined ? ':1' : `@${digest}`}`;
      const pulling = store.engine.pull(name);
      if (refused === undefined) {
        await pulling;
        assert.equal((await store.engine.list()).length, 1);
        assert.equal((await store.engine.history(name)).length >= 1, true);
        await store.engine.inspect(name).then((details) => JSON.stringify(details));
        await store.engine.remove(name, { force: true });
      } else {
        await assert.rejects(pulling, (error: Error & { code?: string }) => {
          assert.match(error.message, refused);
          assert.equal(error.code, code, error.message);
          assert.ok(error.message.length < 1000, 'an error is for people');
          return true;
        });
        assert.deepEqual(await store.engine.list(), [], 'no name stands for what was refused');
      }
      assert.deepEqual(await store.engine.check(), [], 'the store is consistent');
      await store.engine.prune({ all: true, dryRun: false });
      const folders = ['blobs/sha256', 'layers', 'tmp'].map((folder) => path.join(store.root, 'data', folder));
      assert.deepEqual((await Promise.all(folders.map((folder) => readdir(folder)))).flat(), [], 'nothing is left in the store');
      assert.deepEqual((await readdir(store.root)).sort(), ['data'], 'nothing is left beside it');
      assert.equal(strayed, 0, 'nobody else was asked');
      assert.equal(Object.hasOwn(Object.prototype, 'polluted'), false);
    });
  }
});
