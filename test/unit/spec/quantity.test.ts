import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import { MooringError } from '../../../src/lib/errors.ts';
import { formatQuantity, NANO, parseQuantity, quantityIn } from '../../../src/spec/quantity.ts';
import { parseCpu, parseMemory, parseTmpfsSize, resolveResources } from '../../../src/spec/resources.ts';

const MAX = (2n ** 63n - 1n) * NANO;
const refused = (error: unknown) => error instanceof MooringError && error.code === 'Invalid';

describe('parseQuantity', () => {
  // Values from apimachinery's quantity tests and the grammar in its documentation.
  const values: [string | number, bigint][] = [
    ['0', 0n], ['0n', 0n], ['0Ki', 0n], ['1', NANO], ['1.', NANO], ['.5', NANO / 2n], ['+1', NANO], ['-1', -NANO],
    ['1n', 1n], ['1u', 1_000n], ['100m', NANO / 10n], ['500m', NANO / 2n], ['1k', 1_000n * NANO], ['1M', 10n ** 6n * NANO], ['1E', 10n ** 18n * NANO],
    ['1Ki', 1024n * NANO], ['64Mi', 64n * 1024n ** 2n * NANO], ['7Ei', 7n * 1024n ** 6n * NANO], ['1.5Gi', 1536n * 1024n ** 2n * NANO],
    ['1e3', 1_000n * NANO], ['1E3', 1_000n * NANO], ['1E+3', 1_000n * NANO], ['1e-3', NANO / 1000n], ['12.34e2', 1234n * NANO], ['0e999', 0n],
    [0.1, NANO / 10n], [0.30000000000000004, 300_000_001n], [2, 2n * NANO], [1e21, MAX],
    ['0.0000000001', 1n], ['1e-99999999', 1n], ['1e99999999', MAX], ['8Ei', MAX], ['-8Ei', -MAX], ['123456789.123456789123', 123456789123456790n],
  ];
  for (const [text, nanos] of values) test(String(text), () => assert.equal(parseQuantity(text).nanos, nanos));

  for (const text of ['', ' ', '1 ', ' 1', '1 Mi', '1mi', '1MI', '1MB', '1K', 'Mi', '.', '-', '--1', '1.2.3', '1e', '1e1.5', '1ee3', '1Mie3', '0x10', '1_000', '1,5', 'NaN', 'Infinity', '٣', '9'.repeat(65)]) {
    test(`refuses ${JSON.stringify(text)}`, () => assert.throws(() => parseQuantity(text), refused));
  }
});

test('a quantity is written back as it is understood', () => {
  const format = fc.constantFrom('DecimalSI' as const, 'BinarySI' as const, 'DecimalExponent' as const);
  fc.assert(
    fc.property(fc.bigInt({ min: -MAX, max: MAX }), format, (nanos, as) => {
      const text = formatQuantity({ nanos, format: as });
      assert.equal(parseQuantity(text).nanos, nanos);
      assert.equal(formatQuantity({ nanos: parseQuantity(text).nanos, format: as }), text);
    }),
    { numRuns: 2000 },
  );
});

test('suffixes multiply exactly', () => {
  const factors = { n: 1n, u: 10n ** 3n, m: 10n ** 6n, '': NANO, k: 10n ** 12n, M: 10n ** 15n, Ki: 1024n * NANO, Mi: 1024n ** 2n * NANO };
  fc.assert(
    fc.property(fc.nat(), fc.constantFrom(...Object.entries(factors)), (number, [suffix, factor]) => {
      assert.equal(parseQuantity(`${number}${suffix}`).nanos, BigInt(number) * factor);
    }),
  );
});

describe('formatQuantity gives the canonical form', () => {
  for (const [text, canonical] of [['0.5', '500m'], ['1000m', '1'], ['1500m', '1500m'], ['2000', '2k'], ['64Mi', '64Mi'], ['1024Mi', '1Gi'], ['1.5Gi', '1536Mi'], ['512Ki', '512Ki'], ['0.5Ki', '512'], ['1e3', '1e3'], ['1500e0', '1500'], ['0', '0'], ['-0.5', '-500m']] as const) {
    test(`${text} is ${canonical}`, () => assert.equal(formatQuantity(parseQuantity(text)), canonical));
  }
});

test('units are rounded up, as Kubernetes rounds them', () => {
  assert.equal(quantityIn(parseQuantity('0.1Gi'), NANO), 107_374_183n);
  assert.equal(quantityIn(parseQuantity('1500u'), NANO / 1000n), 2n);
  assert.equal(quantityIn(parseQuantity('-0.5'), NANO), 0n);
});

describe('limits', () => {
  test('CPU in thousandths', () => {
    assert.equal(parseCpu('1m'), 1);
    assert.equal(parseCpu('1u'), 1);
    assert.equal(parseCpu(0.5), 500);
    assert.equal(parseCpu('8192'), 8_192_000);
    for (const cpu of ['0', '-1', '8193', '8192001m']) assert.throws(() => parseCpu(cpu), refused);
  });

  test('memory in bytes', () => {
    assert.equal(parseMemory('4Mi'), 4 * 1024 ** 2);
    assert.equal(parseMemory(67_108_864), 64 * 1024 ** 2);
    assert.equal(parseMemory('4Pi'), 2 ** 52);
    for (const memory of ['4194303', '0', '-64Mi', '4503599627370497', '1e99', '64m']) assert.throws(() => parseMemory(memory), refused);
    assert.equal(parseTmpfsSize('4Ki'), 4096);
    assert.throws(() => parseTmpfsSize('4095'), refused);
  });

  test('what is not limited is left out', () => {
    assert.deepEqual(resolveResources({ resources: {} }), {});
    assert.deepEqual(resolveResources({ resources: { cpu: '1.5', memory: '64Mi', pids: 7 } }), { cpuMillicores: 1500, memoryBytes: 67_108_864, pids: 7 });
  });
});
