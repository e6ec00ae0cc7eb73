import { after, before, describe } from 'node:test';

import { missing } from './command.ts';
import { Dockerd } from './dockerd.ts';
import { describeEngine } from './engine-behaviour.ts';

describe("dockerd's containers", { skip: missing('dockerd', 'docker', 'runc') }, () => {
  let dockerd: Dockerd;
  before(async () => {
    dockerd = await Dockerd.start();
  });
  after(() => dockerd[Symbol.asyncDispose]());
  describeEngine(() => dockerd);
});
