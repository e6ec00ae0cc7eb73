import { MooringError } from '../lib/errors.ts';
import type { ConfigKind, ResourceKind } from '../spec/resource.ts';

/** A resource as the command line names it. */
export interface NameArgument {
  readonly namespace: string;
  readonly name: string;
}

const KINDS: Readonly<Record<string, ResourceKind>> = {
  container: 'Container',
  containers: 'Container',
  c: 'Container',
  network: 'Network',
  networks: 'Network',
  net: 'Network',
  volume: 'Volume',
  volumes: 'Volume',
  vol: 'Volume',
  configmap: 'ConfigMap',
  configmaps: 'ConfigMap',
  cm: 'ConfigMap',
  secret: 'Secret',
  secrets: 'Secret',
};

export function isKind(word: string): boolean {
  return Object.hasOwn(KINDS, word);
}

/** Whether it is one of those that hold what containers are configured by. */
export function isConfigKind(kind: ResourceKind): kind is ConfigKind {
  return kind === 'ConfigMap' || kind === 'Secret';
}

/** The kind that the words of a command speak of, as in `networks`, `network back` or `network/back`: containers unless they say another. Throws `Invalid` for several. */
export function kindOf(words: readonly string[]): ResourceKind {
  const named = words.flatMap((word) => {
    const [first = ''] = word.split('/');
    const isAlone = !word.includes('/');
    return isKind(first) ? [KINDS[first] as ResourceKind] : isAlone ? [] : ['Container' as const];
  });
  const kinds = new Set(named);
  if (kinds.size > 1) throw new MooringError('Invalid', 'several kinds are named at once', { fix: 'ask for one kind at a time' });
  return named[0] ?? 'Container';
}

/** `NAME`, `container/NAME`, or `NAMESPACE/NAME`, which overrides `-n`. */
export function parseName(text: string, namespace: string): NameArgument {
  const parts = text.split('/');
  const [first = '', second = '', third = ''] = parts;
  if (parts.length === 1 && first !== '') return { namespace, name: first };
  if (parts.length === 2 && first !== '' && second !== '') return isKind(first) ? { namespace, name: second } : { namespace: first, name: second };
  if (parts.length === 3 && isKind(first) && second !== '' && third !== '') return { namespace: second, name: third };
  throw new MooringError('Invalid', `"${text}" names nothing`, { fix: 'give NAME, KIND/NAME, NAMESPACE/NAME or KIND/NAMESPACE/NAME' });
}

/** The API's path of one container. */
export function containerPath(name: NameArgument): string {
  return resourcePath('Container', name);
}

/** The API's path of one resource. */
export function resourcePath(kind: ResourceKind, { namespace, name }: NameArgument): string {
  return `/v1/${kind.toLowerCase()}s/${encodeURIComponent(namespace)}/${encodeURIComponent(name)}`;
}
