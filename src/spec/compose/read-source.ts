import { LineIndex } from '../line-index.ts';
import { readText } from '../source-text.ts';
import { Field, fieldOf, type SourceFile } from '../translate/field.ts';
import type { ProblemList } from '../translate/problem-list.ts';
import { isMap } from '../translate/read-field.ts';
import { boundsFault, parseYaml, syntaxFault } from '../yaml-text.ts';
import { type NodeBudget, YamlTree } from '../yaml-tree.ts';
import { mergedFields } from './merge.ts';

/** Values in one file with aliases expanded. */
const MAX_VALUES = 100_000;

/**
 * The mapping that a compose file holds; of several documents, each over those before it. Undefined where the text is none, which is among the problems then.
 *
 * @param name How problems name the file.
 * @param folder Absolute; where relative paths in it begin.
 */
export function readSource(content: Uint8Array | string, name: string, folder: string, problems: ProblemList): Field | undefined {
  const text = readText(content);
  const source: SourceFile = { name, folder, lines: new LineIndex(text.text) };
  const at = (offset: number): Field => new Field(null, { source, path: [], offset, keyOffset: offset });
  const fault = 'message' in text ? text : boundsFault(text.text);
  if (fault !== undefined) {
    problems.fault(at(fault.offset), fault.message, fault.fix);
    return undefined;
  }
  const budget: NodeBudget = { left: MAX_VALUES };
  let whole: Field | undefined;
  let good = true;
  for (const document of parseYaml(text.text)) {
    const [error] = document.errors;
    if (error !== undefined) {
      const { offset, message, fix } = syntaxFault(error, text.text);
      problems.fault(at(offset), message, fix);
      return undefined;
    }
    const tree = new YamlTree(document, budget, { mergeKeys: true, refuseOctals: true });
    for (const { path, offset, onKey, message, fix } of tree.faults) {
      const place = offset ?? tree.offsetOf(path, onKey);
      problems.fault(new Field(null, { source, path, offset: place, keyOffset: place }), message, fix);
      good = false;
    }
    if (!tree.complete) return undefined;
    const field = fieldOf(tree, source);
    if (field.value === null) continue;
    if (!isMap(field)) {
      problems.fault(field, 'must be a mapping with services');
      return undefined;
    }
    const before = whole;
    whole = before === undefined ? field : problems.attempt(field, () => mergedFields(before, field));
  }
  return good ? (whole ?? at(0).with(new Map())) : undefined;
}
