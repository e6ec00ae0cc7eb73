import assert from 'node:assert/strict';
import { readCompose } from '../../../src/spec/compose/read-compose.ts';
import type { Container } from '../../../src/spec/container.ts';
import type { ParseResult } from '../../../src/spec/parsed.ts';

/** Reads a compose file that lies in `/srv/shop` among other files, which are named below that folder. */
export async function compose(text: string, beside: Readonly<Record<string, string>> = {}): Promise<ParseResult> {
  const files = new Map(Object.entries(beside).map(([name, content]) => [`/srv/shop/${name}`, Buffer.from(content)]));
  return readCompose(text, { file: 'compose.yaml', path: '/srv/shop/compose.yaml', read: (path) => Promise.resolve(files.get(path)) });
}

/** What stands in the way, as people read it. */
export async function problemsOf(text: string, beside: Readonly<Record<string, string>> = {}): Promise<string[]> {
  const { problems } = await compose(text, beside);
  return problems.map(({ at, field, message, fix, warning }) => `${warning === true ? 'warning ' : ''}${at} ${field}: ${message}${fix === undefined ? '' : ` (${fix})`}`);
}

/** The spec of the one container of a compose file that is good. */
export async function specOf(text: string, beside: Readonly<Record<string, string>> = {}): Promise<Container['spec']> {
  const containers = await containersOf(text, beside);
  assert.equal(containers.length, 1);
  return (containers[0] as Container).spec;
}

export async function containersOf(text: string, beside: Readonly<Record<string, string>> = {}): Promise<Container[]> {
  const { documents, problems } = await compose(text, beside);
  assert.deepEqual(problems.filter(({ warning }) => warning !== true), []);
  return documents.flatMap(({ resource }) => (resource.kind === 'Container' ? [resource] : []));
}

/** A file of one service with these fields, indented by four. */
export function service(fields: string, rest = ''): string {
  return `services:\n  web:\n    image: busybox\n${fields.replace(/^(?=.)/gm, '    ')}\n${rest}`;
}
