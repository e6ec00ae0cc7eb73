import { MooringError } from '../lib/errors.ts';

/** A container as the command line names it. */
export interface NameArgument {
  readonly namespace: string;
  readonly name: string;
}

const KINDS = new Set(['container', 'containers', 'c']);

export function isKind(word: string): boolean {
  return KINDS.has(word);
}

/** `NAME`, `container/NAME`, or `NAMESPACE/NAME`, which overrides `-n`. */
export function parseName(text: string, namespace: string): NameArgument {
  const parts = text.split('/');
  const [first = '', second = ''] = parts;
  if (parts.length === 1 && first !== '') return { namespace, name: first };
  if (parts.length === 2 && first !== '' && second !== '') return isKind(first) ? { namespace, name: second } : { namespace: first, name: second };
  throw new MooringError('Invalid', `"${text}" names no container`, { fix: 'give NAME, container/NAME or NAMESPACE/NAME' });
}

/** The API's path of one container. */
export function containerPath({ namespace, name }: NameArgument): string {
  return `/v1/containers/${encodeURIComponent(namespace)}/${encodeURIComponent(name)}`;
}
