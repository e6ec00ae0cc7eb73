import { MooringError, messageOf } from '../../lib/errors.ts';
import type { Declared } from '../../reconcile/desired.ts';
import { keyOf, keyText } from '../../reconcile/desired-store.ts';
import type { SpecProblem } from '../../spec/problem.ts';
import { readBody, type Call } from './call.ts';
import type { ApiServices } from './services.ts';
import { FILES_CONTENT_TYPE, LOCATION_ANNOTATION, SOURCE_ANNOTATION, type FilesBody } from './types.ts';

/** Documents of a request that were not accepted: nothing of the request was done. */
export class DocumentsError extends MooringError {
  readonly problems: readonly SpecProblem[];

  constructor(problems: readonly [SpecProblem, ...SpecProblem[]]) {
    const [{ at, field, message, fix }] = problems;
    const more = problems.length > 1 ? ` (and ${problems.length - 1} more)` : '';
    super('Invalid', `${field === '' ? '' : `${field}: `}${message}${more}`, { at, ...(fix !== undefined && { fix }) });
    this.problems = problems;
  }
}

/** All documents of a request's body, several files or one plain YAML or JSON text, and what of them is not done. Throws `DocumentsError` unless every one is good. */
export async function readDocuments(call: Call, { parse }: Pick<ApiServices, 'parse'>): Promise<{ readonly declared: Declared[]; readonly warnings: readonly SpecProblem[] }> {
  const text = await readBody(call);
  const files = call.request.headers['content-type'] === FILES_CONTENT_TYPE ? filesOf(text) : [{ name: 'body', text }];
  const problems: SpecProblem[] = [];
  const byKey = new Map<string, Declared>();
  for (const file of files) {
    const parsed = parse(file.name, file.text);
    problems.push(...parsed.problems);
    for (const declared of parsed.declared) {
      const key = keyOf(declared.resource);
      const first = byKey.get(keyText(key));
      if (first === undefined) byKey.set(keyText(key), withoutOurAnnotations(declared));
      else problems.push({ file: file.name, at: declared.location, field: 'metadata.name', message: `${key.name} is said twice, first at ${first.location}`, ...key });
    }
  }
  const [first, ...rest] = problems.filter(({ warning }) => warning !== true);
  if (first !== undefined) throw new DocumentsError([first, ...rest]);
  if (byKey.size === 0) throw new MooringError('Invalid', 'there is no document in what was sent');
  return { declared: [...byKey.values()], warnings: problems };
}

/** What `get -o yaml` printed can be applied again: where it was said before is not part of it. */
function withoutOurAnnotations({ resource, location }: Declared): Declared {
  const { [SOURCE_ANNOTATION]: _source, [LOCATION_ANNOTATION]: _location, ...annotations } = resource.metadata.annotations;
  return { location, resource: { ...resource, metadata: { ...resource.metadata, annotations } } };
}

function filesOf(text: string): FilesBody['files'] {
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch (error) {
    throw new MooringError('Invalid', `the request's body is not JSON: ${messageOf(error)}`);
  }
  if (!isFilesBody(body)) throw new MooringError('Invalid', `a body of type ${FILES_CONTENT_TYPE} has the shape {"files":[{"name":"…","text":"…"}]}`);
  return body.files;
}

function isFilesBody(body: unknown): body is FilesBody {
  const files = (body as Partial<FilesBody> | null)?.files;
  return Array.isArray(files) && files.every((file: unknown) => typeof (file as { name?: unknown } | null)?.name === 'string' && typeof (file as { text?: unknown }).text === 'string');
}
