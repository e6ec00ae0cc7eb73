import type { FileTree, TreeFile } from './file-tree.ts';

/** The here-documents of a COPY as files. */
export class TextTree implements FileTree {
  readonly #files: ReadonlyMap<string, Buffer>;

  constructor(files: ReadonlyMap<string, string>) {
    this.#files = new Map([...files].map(([name, content]) => [name, Buffer.from(content)]));
  }

  look(path: string): Promise<TreeFile | undefined> {
    const content = this.#files.get(path);
    return Promise.resolve(content && { kind: 'file', mode: 0o644, uid: 0, gid: 0, size: content.length, mtime: 0 });
  }

  names(): Promise<string[]> {
    return Promise.resolve([...this.#files.keys()]);
  }

  readLink(): Promise<string> {
    return Promise.resolve('');
  }

  async *read(path: string): AsyncIterable<Buffer> {
    yield this.#files.get(path) ?? Buffer.alloc(0);
  }

  attributes(): Promise<ReadonlyMap<string, Buffer>> {
    return Promise.resolve(new Map());
  }
}
