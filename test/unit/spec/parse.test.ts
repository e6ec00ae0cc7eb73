import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import { stringify } from 'yaml';
import { parseDocuments } from '../../../src/spec/parse.ts';
import { MAX_FILE_BYTES } from '../../../src/spec/source-text.ts';

const corpus = join(import.meta.dirname, '../../corpus');
const MINIMAL = 'apiVersion: mooring.dev/v1alpha1\nkind: Container\nmetadata: {name: web}\nspec: {image: redis}\n';

function checkShape(content: Uint8Array | string): void {
  const { documents, problems } = parseDocuments(content, 'f.yaml');
  for (const { at, file, message } of problems) {
    assert.match(at, /^f\.yaml:[1-9][0-9]*:[1-9][0-9]*$/);
    assert.equal(file, 'f.yaml');
    assert.ok(message.length > 0 && message.length < 1000);
  }
  for (const { name, resource } of documents) assert.equal(name, `${resource.metadata.namespace}/${resource.metadata.name}`);
}

describe('parseDocuments never throws', () => {
  test('on arbitrary bytes', () => fc.assert(fc.property(fc.uint8Array({ maxLength: 4096 }), checkShape), { numRuns: 500 }));

  test('on arbitrary text', () => fc.assert(fc.property(fc.string({ unit: 'binary', maxLength: 500 }), checkShape), { numRuns: 300 }));

  test("on texts of YAML's own characters", () => {
    const unit = fc.constantFrom('a', ' ', '\n', '\t', ':', ': ', '- ', '-', '---\n', '...\n', '? ', '[', ']', '{', '}', ',', '#', '&a ', '*a', '!', '!!str ', '|', '>', "'", '"', '%', '@', '`', '<<: ', '\\', '\r\n', 'null', '1', '~');
    fc.assert(fc.property(fc.array(unit, { maxLength: 100 }), (units) => checkShape(units.join(''))), { numRuns: 2000 });
  });

  test('on documents of any value', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), fc.jsonValue(), (metadata, spec, field) => {
        for (const value of [metadata, { apiVersion: 'mooring.dev/v1alpha1', kind: 'Container', metadata, spec }, { apiVersion: 'mooring.dev/v1alpha1', kind: 'Container', metadata: { name: 'a' }, spec: { image: 'a', env: field, mounts: [field], resources: field, ports: [spec] } }]) {
          checkShape(JSON.stringify(value));
          checkShape(stringify(value));
        }
      }),
      { numRuns: 100 },
    );
  });

  test('on good and bad files cut anywhere, or with a byte changed', async () => {
    const files = await Promise.all(['good', 'bad'].flatMap(async (folder) => Promise.all((await readdir(join(corpus, folder))).map((name) => readFile(join(corpus, folder, name))))));
    const contents = files.flat().filter((content) => content.length > 0 && content.length < 4096);
    fc.assert(
      fc.property(fc.constantFrom(...contents), fc.nat(), fc.nat(255), fc.boolean(), (content, place, byte, cut) => {
        const mutant = Buffer.from(content.subarray(0, cut ? place % content.length : content.length));
        if (mutant.length > 0) mutant[place % mutant.length] = byte;
        checkShape(mutant);
      }),
      { numRuns: 1000 },
    );
  });
});

describe('what is too much is refused as a whole, by one problem', () => {
  const cases: [string, string | Uint8Array, RegExp][] = [
    ['bytes', `${MINIMAL}#${' '.repeat(MAX_FILE_BYTES)}`, /bytes long/],
    ['documents', '---\na: b\n'.repeat(1002), /more than 1000 documents/],
    ['brackets', '['.repeat(MAX_FILE_BYTES), /nested more than/],
    ['nested mappings', '{a: '.repeat(MAX_FILE_BYTES / 4), /nested more than/],
    ['commas', `[${','.repeat(MAX_FILE_BYTES - 2)}]`, /tokens/],
    ['dashes', '- '.repeat(MAX_FILE_BYTES / 2), /tokens/],
    ['lines', '\n'.repeat(MAX_FILE_BYTES), /tokens/],
    ['NULs', new Uint8Array(MAX_FILE_BYTES), /U\+0000/],
  ];
  for (const [what, content, message] of cases) {
    test(what, () => {
      const { documents, problems } = parseDocuments(content, 'f.yaml');
      assert.equal(documents.length, 0);
      assert.equal(problems.length, 1);
      assert.match(problems[0]?.message ?? '', message);
    });
  }

  test('nesting by indentation', () => {
    const { problems } = parseDocuments(Array.from({ length: 1400 }, (_, depth) => `${' '.repeat(depth)}a:`).join('\n'), 'f.yaml');
    assert.equal(problems.length, 1);
    assert.match(problems[0]?.message ?? '', /nested/);
  });

  test('problems', () => {
    const { problems } = parseDocuments(`${MINIMAL}${Array.from({ length: 500 }, (_, index) => `x${index}: 1\n`).join('')}`, 'f.yaml');
    assert.equal(problems.length, 101);
    assert.equal(problems.at(-1)?.message, 'and 400 more problems from here on');
    assert.equal(problems.at(-1)?.at, 'f.yaml:105:1');
  });

  test('but as much as is allowed is read', () => {
    const many = Array.from({ length: 1000 }, (_, index) => MINIMAL.replace('web', `web-${index}`)).join('---\n');
    const { documents, problems } = parseDocuments(many, 'f.yaml');
    assert.deepEqual(problems, []);
    assert.equal(documents.length, 1000);
    assert.equal(documents.at(-1)?.at, 'f.yaml:4996:1');
  });
});

describe('places', () => {
  test('a text and its bytes give the same', () => {
    const text = `\ufeff# é\n${MINIMAL}  oops`;
    assert.deepEqual(parseDocuments(text, 'f.yaml'), parseDocuments(Buffer.from(text), 'f.yaml'));
  });

  test('columns count characters', () => {
    const { problems } = parseDocuments('apiVersion: mooring.dev/v1alpha1\nkind: Container\nmetadata: {name: web, annotations: {é: "ü", x: 1}}\nspec: {image: redis}', 'f.yaml');
    assert.deepEqual(
      problems.map(({ at, field }) => [at, field]),
      [
        ['f.yaml:3:37', 'metadata.annotations["é"]'],
        ['f.yaml:3:48', 'metadata.annotations.x'],
      ],
    );
  });

  test('the first undecodable byte is found behind genuine replacement characters', () => {
    const { problems } = parseDocuments(Buffer.concat([Buffer.from('a: "\ufffd"\nb: "'), Buffer.from([0xc3]), Buffer.from('"\n')]), 'f.yaml');
    assert.deepEqual(
      problems.map(({ at, message }) => [at, message]),
      [['f.yaml:2:5', 'is not text in UTF-8']],
    );
  });
});
