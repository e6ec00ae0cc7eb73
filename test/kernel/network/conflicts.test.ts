import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:net';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';

import { parseContainerName } from '../../../src/spec/name.ts';
import { containerOf, type TestNode } from '../engine/support.ts';
import { openNetworkNode, removeContainer, startOn, tracesOf } from './support.ts';

describe('what is refused before anything is made', () => {
  let node: TestNode;
  before(async () => {
    node = await openNetworkNode();
  });
  after(() => node.close());

  const publishing = (name: string, ...ports: readonly Record<string, unknown>[]) => containerOf(name, { network: { mode: 'Bridge' }, ports });

  it('a port that another container publishes, on the same address or on all', async () => {
    const web = await startOn(node, 'web', [{ containerPort: 80, hostPort: 28_100 }, { containerPort: 81, hostPort: 28_101, hostIP: '127.0.0.1' }, { containerPort: 53, hostPort: 28_102, protocol: 'UDP' }]);
    const refused = [{ hostPort: 28_100 }, { hostPort: 28_100, hostIP: '127.0.0.1' }, { hostPort: 28_101 }, { hostPort: 28_101, hostIP: '127.0.0.1' }, { hostPort: 28_102, protocol: 'UDP' }];
    for (const port of refused) {
      await assert.rejects(node.engine.create(publishing('late', { containerPort: 8080, ...port }), 'hash'), { code: 'Conflict', message: /^container default\/late: port \S+ of the node is published by container default\/web$/ });
      assert.equal(await node.engine.observe(parseContainerName('late')), undefined);
    }
    const fine = await startOn(node, 'fine', [{ containerPort: 1, hostPort: 28_100, protocol: 'UDP' }, { containerPort: 2, hostPort: 28_101, hostIP: '127.0.0.2' }]);
    await removeContainer(node, web);
    await removeContainer(node, await startOn(node, 'late', [{ containerPort: 8080, hostPort: 28_101, hostIP: '127.0.0.1' }]));
    await removeContainer(node, fine);
    assert.deepEqual(await tracesOf(node), []);
  });

  it('a port that a process of the node listens on, which is named; the container starts once it is free', async () => {
    const server = createServer().listen(28_110, '127.0.0.1').unref();
    await once(server, 'listening');
    const port = { containerPort: 80, hostPort: 28_110 };
    await assert.rejects(node.engine.create(publishing('web', port), 'hash'), { code: 'Conflict', message: `container default/web: port 28110/tcp of the node is in use by ${path.basename(process.execPath)} (pid ${process.pid})` });
    await assert.rejects(node.engine.create(publishing('web', { ...port, hostIP: '127.0.0.1' }), 'hash'), { code: 'Conflict' });
    const elsewhere = await startOn(node, 'elsewhere', [{ ...port, hostIP: '127.0.0.9' }]);
    await removeContainer(node, elsewhere);
    server.close();
    await once(server, 'close');
    await removeContainer(node, await startOn(node, 'web', [port]));
    assert.deepEqual(await tracesOf(node), []);
  });
});
