import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import { MooringError } from '../../../src/lib/errors.ts';
import { durationMs, formatDuration, parseDuration } from '../../../src/spec/duration.ts';

describe('parseDuration', () => {
  // From the tests of Go's time.ParseDuration.
  const values: [string, bigint][] = [
    ['0', 0n], ['5s', 5_000_000_000n], ['30s', 30_000_000_000n], ['1478s', 1_478_000_000_000n], ['+5s', 5_000_000_000n], ['+0', 0n], ['5.0s', 5_000_000_000n],
    ['5.6s', 5_600_000_000n], ['5.s', 5_000_000_000n], ['.5s', 500_000_000n], ['1.0040s', 1_004_000_000n], ['100.00100s', 100_001_000_000n],
    ['10ns', 10n], ['11us', 11_000n], ['12µs', 12_000n], ['12μs', 12_000n], ['13ms', 13_000_000n], ['14s', 14_000_000_000n], ['15m', 900_000_000_000n], ['16h', 57_600_000_000_000n],
    ['3h30m', 12_600_000_000_000n], ['10.5s4m', 250_500_000_000n], ['1h2m3s4ms5us6ns', 3_723_004_005_006n], ['39h9m14.425s', 140_954_425_000_000n],
    ['9223372036854775807ns', 2n ** 63n - 1n], ['0.3333333333333333333h', 1_199_999_999_999n], ['0.9ns', 0n],
  ];
  for (const [text, nanos] of values) test(text, () => assert.equal(parseDuration(text), nanos));

  for (const text of ['', '3', '-', 's', '.', '-.', '.s', '+.s', '1d', '1w', '10 s', ' 10s', '10s ', '10S', '-10s', '1h-1m', '1e3s', '3000000h', '9223372036854775808ns', '٣s', '1'.repeat(70)]) {
    test(`refuses ${JSON.stringify(text)}`, () => assert.throws(() => parseDuration(text), (error) => error instanceof MooringError && error.code === 'Invalid'));
  }
});

test('a duration is written back as it is understood', () => {
  fc.assert(
    fc.property(fc.bigInt({ min: 0n, max: 2n ** 63n - 1n }), (nanos) => assert.equal(parseDuration(formatDuration(nanos)), nanos)),
    { numRuns: 2000 },
  );
});

test('formatDuration writes as Go does', () => {
  for (const text of ['0s', '1ns', '1.1µs', '2.2ms', '3.3s', '4m5s', '4m5.001s', '5h6m7.001s', '8m0.000000001s', '2562047h47m16.854775807s']) {
    assert.equal(formatDuration(parseDuration(text)), text);
  }
});

test('milliseconds are rounded up', () => {
  assert.equal(durationMs('1m30s'), 90_000);
  assert.equal(durationMs('1ns'), 1);
  assert.equal(durationMs('0s'), 0);
});
