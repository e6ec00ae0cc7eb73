import { after, before, describe } from 'node:test';

import { missing } from './command.ts';
import { describeEngine } from './engine-behaviour.ts';
import { Podman } from './podman.ts';

describe("podman's containers", { skip: missing('podman', 'crun') }, () => {
  let podman: Podman;
  before(async () => {
    podman = await Podman.start();
  });
  after(() => podman[Symbol.asyncDispose]());
  describeEngine(() => podman);
});
