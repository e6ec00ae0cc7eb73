import assert from 'node:assert/strict';
import { test } from 'node:test';
import { imagePullPolicyOf } from '../../../src/spec/image-pull-policy.ts';

const digest = `sha256:${'a'.repeat(64)}`;

test("the policy's defaults are Kubernetes', and what the node makes is never fetched", () => {
  assert.equal(imagePullPolicyOf({ image: 'redis' }), 'Always');
  assert.equal(imagePullPolicyOf({ image: 'redis:latest' }), 'Always');
  assert.equal(imagePullPolicyOf({ image: 'redis:7' }), 'IfNotPresent');
  assert.equal(imagePullPolicyOf({ image: `redis@${digest}` }), 'IfNotPresent');
  assert.equal(imagePullPolicyOf({ image: `redis:latest@${digest}` }), 'IfNotPresent');
  assert.equal(imagePullPolicyOf({ image: 'redis', imagePullPolicy: 'IfNotPresent' }), 'IfNotPresent');
  assert.equal(imagePullPolicyOf({ image: 'mooring.local/busybox', imagePullPolicy: 'Always' }), 'Never');
});
