import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, open, readdir, readFile, rm, rmdir, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { errnoOf } from '../../../src/lib/errors.ts';
import { onNode } from '../../support/daemon.ts';
import { until } from '../../support/until.ts';

const run = promisify(execFile);

/** A file system of 16 MiB. Taking it down fails where somebody has still something open on it. */
class SmallDisk implements AsyncDisposable {
  readonly path: string;

  private constructor(path: string) {
    this.path = path;
  }

  static async mount(): Promise<SmallDisk> {
    const disk = new SmallDisk(await mkdtemp(join(tmpdir(), 'small-disk-')));
    await run('mount', ['-t', 'tmpfs', '-o', 'size=16m', 'small-disk', disk.path]);
    return disk;
  }

  /** Takes all the space there is. */
  async fill(): Promise<void> {
    await using file = await open(join(this.path, 'filler'), 'a');
    for (const block of [Buffer.alloc(1 << 20), Buffer.alloc(4096)]) {
      try {
        for (;;) await file.write(block);
      } catch (error) {
        if (errnoOf(error) !== 'ENOSPC') throw error;
      }
    }
  }

  free(): Promise<void> {
    return rm(join(this.path, 'filler'));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await run('umount', [this.path]);
    await rmdir(this.path);
  }
}

test('a full data directory: what runs runs on, what can not be is told, and all is made up for when there is space again', async () => {
  await using disk = await SmallDisk.mount();
  await onNode(async (node) => {
    await symlink(disk.path, node.dataDir);
    await node.write('writer.yaml', node.container('writer', 'i=0; while :; do i=$((i+1)); echo line $i; sleep 0.01; done'));
    await node.write('quiet.yaml', node.sleeper('quiet'));
    await node.write('mortal.yaml', node.sleeper('mortal', 'restartPolicy: Never'));
    await node.start();
    const writer = await until('the writer runs', async () => (await node.processes('writer'))[0]);
    const quiet = await node.running('quiet');
    const mortal = await node.running('mortal');
    const states = join(node.runDir, 'containers');

    await disk.fill();
    await until('lines are missed', async () => {
      const losses = await Promise.all((await readdir(states)).map((id) => readFile(join(states, id, 'log-loss.json'), 'utf8').catch(() => '')));
      return losses.some((loss) => /"lines":[1-9]/.test(loss));
    });
    assert.ok((await node.processes('writer')).includes(writer));

    for (const pid of [quiet, mortal]) process.kill(pid, 'SIGKILL');
    await until('its end is known', async () => /"exitCode":137/.test(JSON.stringify((await node.get('mortal')).status)));
    await node.write('late.yaml', node.sleeper('late'));
    await until('it is told that the disk is full', () => /could not be taken over: database or disk is full/.test(node.log));
    assert.deepEqual(await node.processes('late'), []);

    await disk.free();
    await node.running('late');
    await node.running('quiet', [quiet]);
    assert.ok((await node.processes('writer')).includes(writer));
    await until('the log says what is missing', async () => /missing here: No space left on device/.test((await node.mooring('logs', 'writer')).stderr));
    assert.ok((await node.events()).some(({ reason, name }) => reason === 'Started' && name === 'default/late'), 'events are recorded again');
  })();
});
