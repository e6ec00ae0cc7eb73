import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { parseDocuments } from '../../../src/spec/parse.ts';

interface Expected {
  /** `line:column`. */
  readonly at: string;
  readonly field: string;
  readonly message: string;
  readonly fix?: string;
  readonly name?: string;
  readonly kind?: string;
}

const corpus = join(import.meta.dirname, '../../corpus');
/** Files of the bad corpus with something good in them, and how much. */
const PARTLY_GOOD: Readonly<Record<string, number>> = { 'list-item.yaml': 1, 'yaml-second-document.yaml': 1, 'yaml-end-then-text.yaml': 1 };
const GOOD: Readonly<Record<string, string[]>> = {
  'anchors.yaml': ['default/web'],
  'crlf-and-bom.yaml': ['default/web'],
  'empty.yaml': [],
  'everything.yaml': ['apps/everything'],
  'json.json': ['default/json'],
  'kubectl-get-list.yaml': ['default/one', 'default/two'],
  'kubectl-get.yaml': ['default/web'],
  'minimal.yaml': ['default/web'],
  'names.yaml': ['1/0.a-b.c'],
  'networks-and-volumes.yaml': ['default/back', 'apps/lan', 'default/data', 'default/shared', 'default/web'],
  'nulls.yaml': ['default/web'],
  'only-comments.yaml': [],
  'published-ports.yaml': ['default/web'],
  'quantities.yaml': Array.from({ length: 9 }, (_, index) => `default/q${index}`),
  'several-documents.yaml': ['default/one', 'default/two', 'default/three'],
  'yaml-1.2.yaml': ['default/web'],
};

describe('malformed documents', async () => {
  const expected = JSON.parse(await readFile(join(corpus, 'bad.json'), 'utf8')) as Record<string, Expected[]>;

  test('every file has its expectation', async () => {
    assert.deepEqual((await readdir(join(corpus, 'bad'))).toSorted(), Object.keys(expected).toSorted());
  });

  for (const [file, problems] of Object.entries(expected)) {
    test(file, async () => {
      const result = parseDocuments(await readFile(join(corpus, 'bad', file)), file);
      assert.deepEqual(
        result.problems,
        problems.map(({ at, ...problem }) => ({ file, at: `${file}:${at}`, ...problem })),
      );
      assert.ok(problems.length > 0);
      assert.equal(result.documents.length, PARTLY_GOOD[file] ?? 0);
    });
  }
});

describe('good documents', () => {
  for (const [file, names] of Object.entries(GOOD)) {
    test(file, async () => {
      const result = parseDocuments(await readFile(join(corpus, 'good', file)), file);
      assert.deepEqual(result.problems, []);
      assert.deepEqual(
        result.documents.map(({ name }) => name),
        names,
      );
    });
  }

  test('every file has its expectation', async () => {
    assert.deepEqual((await readdir(join(corpus, 'good'))).toSorted(), Object.keys(GOOD).toSorted());
  });
});
