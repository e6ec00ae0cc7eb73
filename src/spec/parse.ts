import { type Document, isMap, isScalar } from 'yaml';
import type { FieldFault } from './field-fault.ts';
import { LineIndex } from './line-index.ts';
import type { ResourceName } from './name.ts';
import type { ParsedDocument, ParseResult } from './parsed.ts';
import { isPod, translatePod } from './pod/translate-pod.ts';
import type { SpecProblem } from './problem.ts';
import { type ResourceKind, resourceName } from './resource.ts';
import { fieldPath, isMapping, type Path, valueAt } from './schema-walk.ts';
import { readText } from './source-text.ts';
import { fieldAt, type SourceFile } from './translate/field.ts';
import { claimed, isValue, validate } from './validate.ts';
import { boundsFault, parseYaml, syntaxFault } from './yaml-text.ts';
import { type NodeBudget, YamlTree } from './yaml-tree.ts';

/** Values in a file with aliases expanded; the largest sensible file has a third of it. */
const MAX_VALUES = 100_000;
const MAX_PROBLEMS = 100;

/**
 * Reads the resources of one YAML or JSON file. Never throws and never does more than a bounded amount of work, whatever the bytes.
 *
 * YAML 1.2 with its core schema: `on`, `no` and `0777` are not what YAML 1.1 made of them. Anchors and aliases work; merge keys (`<<`) and tags
 * beyond the core ones are refused. Empty and comment-only documents are skipped. A `List`, as `kubectl get -o yaml` prints it, counts as its items.
 * A `Pod` of `v1` becomes the containers that it is made of. A null is a field left out. `status` and what else a cluster adds are ignored.
 *
 * @param content The file's bytes, or its text.
 * @param file How the file is to be named in `at`.
 */
export function parseDocuments(content: Uint8Array | string, file: string): ParseResult {
  const source = readText(content);
  const report = new ProblemReport(file, source.text);
  const whole = 'message' in source ? source : boundsFault(source.text);
  if (whole !== undefined) {
    report.add(whole, whole.offset);
    return { documents: [], problems: report.problems() };
  }
  const documents: ParsedDocument[] = [];
  const budget: NodeBudget = { left: MAX_VALUES };
  for (const document of parseYaml(source.text)) {
    if (isEmpty(document)) continue;
    const [error] = document.errors;
    // In a Pod's file 0400 may be meant as the octal number that it is to Kubernetes.
    const tree = new YamlTree(document, budget, { refuseOctals: isMap(document.contents) && document.get('kind') === 'Pod' });
    if (error === undefined) {
      documents.push(...readTree(tree, report));
    } else {
      const fault = syntaxFault(error, source.text);
      report.add(fault, fault.offset, { subject: claimed(tree.value) });
    }
  }
  return { documents, problems: report.problems() };
}

/** A fault of a value that nobody is to read. */
const ODD_VALUE = { message: 'is YAML that is not known here', fix: 'put the value in quotes' };

/** The good resources of one document; what is wrong with the others goes into the report. */
function readTree(tree: YamlTree, report: ProblemReport): ParsedDocument[] {
  const resources = resourcesOf(tree);
  for (const fault of tree.faults) {
    const owner = resources.find(({ path }) => isBelow(fault.path, path));
    const isHidden = owner !== undefined && isValue(fault.path.slice(owner.path.length), owner.value);
    report.add(isHidden ? ODD_VALUE : fault, fault.offset ?? tree.offsetOf(fault.path, fault.onKey), { path: fault.path, subject: claimed(owner?.value) });
  }
  if (!tree.complete) return [];
  return resources.flatMap(({ value, path }) => {
    if (isPod(value)) {
      if (tree.faults.some((fault) => isBelow(fault.path, path))) return [];
      const pod = translatePod(fieldAt(tree, report.source, value, path));
      report.take(pod.problems, tree.offsetOf(path, true));
      return pod.documents;
    }
    const result = validate(value);
    if ('resource' in result) {
      if (tree.faults.some((fault) => isBelow(fault.path, path))) return [];
      const { resource } = result;
      return [{ resource, file: report.file, at: report.at(tree.offsetOf(path, true)), name: resourceName(resource) }];
    }
    const subject = claimed(value);
    for (const fault of result.faults) {
      const at = [...path, ...fault.path];
      if (tree.faults.some((earlier) => isBelow(at, earlier.path))) continue;
      report.add(fault, tree.offsetOf(at, fault.onKey), { path: at, subject });
    }
    return [];
  });
}

/** The document itself, or the items of a `List`; with what path each is reached. */
function resourcesOf(tree: YamlTree): { readonly value: unknown; readonly path: Path }[] {
  const { value } = tree;
  const items = isMapping(value) && value['apiVersion'] === 'v1' && value['kind'] === 'List' ? valueAt(value, ['items']) : undefined;
  if (!Array.isArray(items) || !tree.complete) return [{ value, path: [] }];
  return items.map((item, index) => ({ value: item, path: ['items', index] }));
}

function isEmpty({ contents, errors }: Document.Parsed): boolean {
  return errors.length === 0 && (contents === null || (isScalar(contents) && contents.value === null));
}

function isBelow(path: Path, ancestor: Path): boolean {
  return ancestor.every((step, index) => path[index] === step);
}

/** Gathers the problems of one file. */
class ProblemReport {
  readonly file: string;
  readonly source: SourceFile;
  /** By place and message, so that a mistake in a value that several aliases show is told once. */
  readonly #found = new Map<string, { readonly offset: number; readonly problem: SpecProblem }>();

  constructor(file: string, text: string) {
    this.file = file;
    this.source = { name: file, folder: '/', lines: new LineIndex(text) };
  }

  at(offset: number): string {
    return this.source.lines.at(this.file, offset);
  }

  add(fault: Pick<FieldFault, 'message' | 'fix'>, offset: number, where: { readonly path?: Path; readonly subject?: { readonly kind: ResourceKind; readonly name: ResourceName } | undefined } = {}): void {
    const key = `${offset} ${fault.message}`;
    if (this.#found.has(key)) return;
    const problem: SpecProblem = {
      file: this.file,
      at: this.at(offset),
      field: fieldPath(where.path ?? []),
      message: fault.message,
      ...(fault.fix === undefined ? {} : { fix: fault.fix }),
      ...where.subject,
    };
    this.#found.set(key, { offset, problem });
  }

  /** Problems that were found otherwise, of something at this offset. */
  take(problems: readonly SpecProblem[], offset: number): void {
    for (const problem of problems) this.#found.set(`${problem.at} ${problem.message}`, { offset, problem });
  }

  /** In the order of the text, and not more than a person reads. */
  problems(): SpecProblem[] {
    const all = [...this.#found.values()].toSorted((a, b) => a.offset - b.offset).map(({ problem }) => problem);
    const next = all[MAX_PROBLEMS];
    if (next === undefined) return all;
    return [...all.slice(0, MAX_PROBLEMS), { file: this.file, at: next.at, field: '', message: `and ${all.length - MAX_PROBLEMS} more problems from here on` }];
  }
}
