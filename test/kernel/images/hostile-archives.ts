import { gzipSync, zstdCompressSync } from 'node:zlib';

import { paxRecords, tarArchive, tarEntry, type TarEntry } from '../../support/tar-writer.ts';

/** What a layer's folder must hold afterwards: relative path to what lstat and the content say. `null`: nothing is there. */
export type Expected = Readonly<Record<string, null | { readonly kind?: 'file' | 'folder' | 'link' | 'pipe' | 'device' | 'whiteout'; readonly content?: string; readonly mode?: number; readonly uid?: number; readonly links?: number; readonly size?: number }>>;

export interface HostileArchive {
  readonly trick: string;
  /** `canary` is a file of the host that must not be read or written; `root` the layer's folder. */
  readonly archive: (host: { readonly canary: string; readonly root: string }) => Buffer;
  /** Refused with a message like this… */
  readonly refused?: RegExp;
  /** …or unpacked to this, and nothing outside touched. */
  readonly holds?: Expected;
}

const simple = (trick: string, entries: readonly TarEntry[], rest: Pick<HostileArchive, 'refused' | 'holds'>): HostileArchive => ({ trick, archive: () => tarArchive(entries), ...rest });
const up = '../'.repeat(12);
const folder = (name: string): TarEntry => ({ name, type: '5', mode: 0o755 });

/** Bounds that the tests unpack with, so that exceeding them takes little. */
export const TEST_BOUNDS = { bytes: 8 * 2 ** 20, entries: 200, fileBytes: 1024 * 2 ** 20, depth: 40 };

export const hostileArchives: readonly HostileArchive[] = [
  // Names that lead out.
  simple('a name that climbs with ..', [{ name: `${up}tmp/evil`, content: 'x' }], { refused: /leads upwards/ }),
  simple('a name with .. in its middle', [folder('a'), { name: 'a/../../evil', content: 'x' }], { refused: /leads upwards/ }),
  simple('a name that ends in ..', [{ name: 'a/..', type: '5' }], { refused: /leads upwards/ }),
  simple('an absolute name', [{ name: '/etc/passwd', content: 'mine' }], { holds: { 'etc/passwd': { content: 'mine' } } }),
  simple('an absolute name with many slashes', [{ name: '////etc//./shadow', content: 'mine' }], { holds: { 'etc/shadow': { content: 'mine' } } }),
  simple('a climbing name in a PAX record', [{ name: 'honest', content: 'x', pax: { path: `${up}tmp/evil` } }], { refused: /leads upwards/ }),
  { trick: 'a climbing name in a GNU long name', archive: () => tarArchive([{ name: '././@LongLink', type: 'L', content: `${up}tmp/evil\0` }, { name: 'honest', content: 'x' }]), refused: /leads upwards/ },
  simple('a name that climbs in the ustar prefix', [{ name: 'evil', content: 'x', raw: [{ at: 345, bytes: Buffer.from('../../tmp') }] }], { refused: /leads upwards/ }),
  simple('no name at all', [{ name: '', content: 'x' }], { refused: /no name|root|Damaged|header/i }),
  simple('a file in the place of the root', [{ name: './', type: '0', mode: 0o644, content: '' }, { name: '.', type: '2', link: '/etc' }], { refused: /root/ }),
  simple('backslashes, which are no separators here', [{ name: '..\\..\\evil', content: 'x' }], { holds: { '..\\..\\evil': { content: 'x' } } }),

  // Links that lead out.
  { trick: 'a symbolic link to the host, then a write through it', archive: ({ canary }) => tarArchive([{ name: 'link', type: '2', link: canary }, { name: 'link', content: 'evil' }]), holds: { link: { kind: 'file', content: 'evil' } } },
  { trick: 'a symbolic link to a host folder, then a file below it', archive: ({ canary }) => tarArchive([{ name: 'dir', type: '2', link: canary.replace(/\/[^/]*$/, '') }, { name: 'dir/secret', content: 'evil' }]), refused: /dir|folder/ },
  simple('a climbing symbolic link, then a file below it', [folder('tmp'), { name: 'dir', type: '2', link: `${up}tmp` }, { name: 'dir/evil', content: 'x' }], { holds: { 'tmp/evil': { content: 'x' } } }),
  simple('an absolute symbolic link, then a file below it', [folder('etc'), { name: 'dir', type: '2', link: '/etc' }, { name: 'dir/evil', content: 'x' }], { holds: { 'etc/evil': { content: 'x' } } }),
  simple('a chain of symbolic links', [folder('end'), { name: 'a', type: '2', link: 'b' }, { name: 'b', type: '2', link: `${up}end` }, { name: 'a/evil', content: 'x' }], { holds: { 'end/evil': { content: 'x' } } }),
  simple('a loop of symbolic links', [{ name: 'a', type: '2', link: 'b' }, { name: 'b', type: '2', link: 'a' }, { name: 'a/evil', content: 'x' }], { refused: /symbolic links|folder/ }),
  simple('a symbolic link to /proc/self/root', [{ name: 'p', type: '2', link: '/proc/self/root' }, { name: 'p/evil', content: 'x' }], { refused: /folder/ }),
  simple('a symbolic link to nowhere', [{ name: 'p', type: '2', link: '' }], { refused: /nowhere/ }),
  { trick: 'a hard link to a host file', archive: ({ canary }) => tarArchive([{ name: 'hard', type: '1', link: canary }]), refused: /link it to/ },
  simple('a hard link that climbs', [{ name: 'hard', type: '1', link: `${up}etc/passwd` }], { refused: /leads upwards/ }),
  { trick: 'a hard link through a symbolic link to the host, then a write', archive: ({ canary }) => tarArchive([{ name: 's', type: '2', link: canary }, { name: 'h', type: '1', link: 's' }, { name: 'h', content: 'evil' }]), holds: { h: { kind: 'file', content: 'evil' }, s: { kind: 'link' } } },
  simple('a hard link to itself', [{ name: 'h', content: 'x' }, { name: 'h', type: '1', link: 'h' }], { refused: /link it to/ }),
  simple('a hard link to a folder', [folder('d'), { name: 'h', type: '1', link: 'd' }], { refused: /link it to/ }),
  simple('a hard link before its target', [{ name: 'h', type: '1', link: 'later' }, { name: 'later', content: 'x' }], { refused: /link it to/ }),

  // One name twice.
  simple('a file twice: the last one counts', [{ name: 'f', content: 'first' }, { name: 'f', content: 'last' }], { holds: { f: { content: 'last' } } }),
  simple('a hard link, then its name as a file: the other name keeps the content', [{ name: 'a', content: 'one' }, { name: 'b', type: '1', link: 'a' }, { name: 'b', content: 'two' }], { holds: { a: { content: 'one', links: 1 }, b: { content: 'two' } } }),
  simple('a folder with content, then a file of its name', [folder('d'), { name: 'd/f', content: 'x' }, { name: 'd', content: 'y' }], { holds: { d: { kind: 'file', content: 'y' } } }),
  simple('a file, then something below it', [{ name: 'f', content: 'x' }, { name: 'f/below', content: 'y' }], { refused: /folder|place/ }),
  { trick: 'a folder swapped for a link to the host, whose mode is then set', archive: ({ canary }) => tarArchive([folder('d'), { name: 'd', type: '2', link: canary, mode: 0o777 }]), holds: { d: { kind: 'link' } } },
  { trick: 'a link to the host replaced by a folder of the same name', archive: ({ canary }) => tarArchive([{ name: 'd', type: '2', link: canary.replace(/\/[^/]*$/, '') }, { ...folder('d'), mode: 0o700 }, { name: 'd/secret', content: 'in' }]), holds: { d: { kind: 'folder', mode: 0o700 }, 'd/secret': { content: 'in' } } },

  // Deletion marks.
  simple('a deletion mark for the parent', [{ name: 'a/.wh..' }], { refused: /deletion mark/ }),
  simple('a deletion mark for the parent of the parent', [{ name: 'a/.wh...' }], { refused: /deletion mark/ }),
  simple('a deletion mark without a name', [{ name: '.wh.' }], { refused: /deletion mark/ }),
  simple('something below a deletion mark', [{ name: '.wh.a/b', content: 'x' }], { refused: /deletion mark/ }),
  simple('an opaque root, which overlayfs does not heed', [{ name: '.wh..wh..opq' }], { refused: /layer's root/ }),
  simple('a deletion mark for what the same layer adds', [{ name: 'a', content: 'x' }, { name: '.wh.a' }], { holds: { a: { content: 'x' } } }),
  { trick: 'a deletion mark through a link to the host', archive: ({ canary }) => tarArchive([{ name: 'd', type: '2', link: canary.replace(/\/[^/]*$/, '') }, { name: 'd/.wh.secret' }]), refused: /folder/ },
  { trick: 'an opaque mark through a link to the host', archive: ({ canary }) => tarArchive([{ name: 'd', type: '2', link: canary.replace(/\/[^/]*$/, '') }, { name: 'd/.wh..wh..opq' }]), refused: /folder/ },
  simple('bookkeeping of AUFS', [{ name: '.wh..wh.plnk/7', content: 'x' }, { name: '.wh..wh.aufs' }], { holds: { '.wh..wh.plnk': null, '.wh..wh.aufs': null } }),

  // Special files, owners, attributes.
  simple('the disk of the host as a device node', [{ name: 'sda', type: '4', device: [8, 0], mode: 0o666 }], { holds: { sda: { kind: 'device' } } }),
  simple('a pipe, then a write into it, which would wait for ever', [{ name: 'p', type: '6' }, { name: 'p', content: 'x' }], { holds: { p: { kind: 'file', content: 'x' } } }),
  simple('a pipe as a folder', [{ name: 'p', type: '6' }, { name: 'p/x', content: 'x' }], { refused: /folder|place/ }),
  simple('an owner beyond 32 bits', [{ name: 'f', content: 'x', pax: { uid: '4294967296' } }], { refused: /32 bits/ }),
  simple('the owner that chown takes for no change', [{ name: 'f', content: 'x', pax: { gid: '4294967295' } }], { refused: /32 bits/ }),
  simple('an attribute that redirects overlayfs', [{ name: 'd', type: '5', mode: 0o755, pax: { 'SCHILY.xattr.trusted.overlay.redirect': '/etc', 'SCHILY.xattr.trusted.overlay.metacopy': '' } }], { holds: { d: { kind: 'folder' } } }),
  simple('a set-user-ID program', [{ name: 'su', content: 'x', mode: 0o4755, uid: 1000 }], { holds: { su: { mode: 0o4755, uid: 1000 } } }),

  // Too much.
  simple('more entries than allowed', Array.from({ length: 201 }, (_, index) => ({ name: `f${index}` })), { refused: /more than 200 entries/ }),
  simple('a path deeper than allowed', [{ name: 'd/'.repeat(41), type: '5' }], { refused: /40 folders deep/ }),
  simple('a file with more bytes than allowed', [{ name: 'big', content: Buffer.alloc(9 * 2 ** 20) }], { refused: /more than 8388608 bytes|longer than/ }),
  { trick: 'zeros that a small compressed layer grows into', archive: () => gzipSync(tarArchive([{ name: 'zeros', content: Buffer.alloc(64 * 2 ** 20) }])), refused: /more than 8388608 bytes|longer than/ },
  { trick: 'zeros beyond the end of the archive', archive: () => zstdCompressSync(Buffer.concat([tarArchive([{ name: 'f' }]), Buffer.alloc(64 * 2 ** 20)])), refused: /longer than/ },
  simple('a file that says it has eight exabytes', [{ name: 'f', size: 2 ** 62 }], { refused: /larger than/ }),
  simple('a hole of a terabyte', [{ name: 'f', pax: { 'GNU.sparse.major': '1', 'GNU.sparse.minor': '0', 'GNU.sparse.name': 'f', 'GNU.sparse.realsize': String(2 ** 40) }, content: `1\n${2 ** 40 - 512}\n512\n`.padEnd(512, '\0') + 'x'.repeat(512) }], { refused: /larger than/ }),
  simple('content that lies beyond its file\'s size', [{ name: 'f', pax: { 'GNU.sparse.major': '1', 'GNU.sparse.minor': '0', 'GNU.sparse.name': 'f', 'GNU.sparse.realsize': '1000' }, content: `1\n${2 ** 20}\n512\n`.padEnd(512, '\0') + 'x'.repeat(512) }], { refused: /beyond its size|sparse/i }),
  simple('a PAX header of 4 MiB', [{ name: 'f', pax: { comment: Buffer.alloc(4 * 2 ** 20, 'x') } }], { refused: /too large/ }),
  simple('a PAX name of 64 KiB', [{ name: 'f', pax: { path: 'n'.repeat(65_536) } }], { refused: /name too long|File name/i }),
  simple('a negative size', [{ name: 'f', raw: [{ at: 124, bytes: Buffer.from('ff'.repeat(12), 'hex') }] }], { refused: /./ }),

  // What is no archive, or only half of one.
  { trick: 'an archive cut off in a file', archive: () => tarArchive([{ name: 'f', content: Buffer.alloc(100_000) }]).subarray(0, 50_000), refused: /./ },
  { trick: 'an archive cut off in a header', archive: () => Buffer.concat([tarEntry({ name: 'a' }), tarEntry({ name: 'b' }).subarray(0, 100)]), refused: /./ },
  { trick: 'a compressed layer cut off', archive: () => gzipSync(tarArchive([{ name: 'f', content: Buffer.from(Array.from({ length: 50_000 }, (_, i) => (i * 7919) % 251)) }])).subarray(0, 500), refused: /compressed data is damaged/ },
  { trick: 'noise', archive: () => Buffer.from(Array.from({ length: 20_000 }, (_, i) => (i * 7919 + 13) % 256)), refused: /./ },
  simple('a wrong header checksum', [{ name: 'f', checksum: 1 }], { refused: /./ }),
  simple('a PAX record longer than its header', [{ name: 'x', type: 'x', content: '999 path=a\n' }, { name: 'f' }], { holds: { f: { kind: 'file' } } }),
  { trick: 'an endless row of PAX headers', archive: () => tarArchive(Array.from({ length: 20_000 }, () => ({ name: 'x', type: 'x', content: paxRecords({ comment: 'x' }) }))), refused: /./ },
];
