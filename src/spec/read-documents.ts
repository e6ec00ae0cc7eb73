import { isComposeFile } from './compose/names.ts';
import type { ReadInput } from './compose/project.ts';
import { readCompose } from './compose/read-compose.ts';
import { withoutDefaults } from './hash.ts';
import { parseDocuments } from './parse.ts';
import type { ParsedDocument, ParseResult } from './parsed.ts';
import { schemaOf } from './resource.ts';

/** What a file of any format holds, as resources: documents of ours, pods, and by its name a compose file. */
export async function readDocuments(content: Uint8Array | string, place: { readonly file: string; readonly path: string; readonly read: ReadInput }): Promise<ParseResult> {
  return isComposeFile(place.path) ? readCompose(content, place) : parseDocuments(content, place.file);
}

/** A resource as a person would write it: without what is so by default. */
export function plainDocument({ resource }: ParsedDocument): unknown {
  return withoutDefaults(schemaOf(resource.kind), resource);
}
