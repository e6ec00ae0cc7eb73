import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';

import { tarArchive } from '../../support/tar-writer.ts';

const MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
const INDEX = 'application/vnd.oci.image.index.v1+json';
const CONFIG = 'application/vnd.oci.image.config.v1+json';
const LAYER = 'application/vnd.oci.image.layer.v1.tar+gzip';
const MIB = 2 ** 20;

/** What the registry has: manifests by tag or digest, blobs by digest. */
export interface Served {
  readonly manifests: ReadonlyMap<string, { readonly content: Buffer; readonly type: string; readonly endless?: boolean }>;
  readonly blobs: ReadonlyMap<string, Buffer>;
}

export interface HostileImage {
  readonly trick: string;
  readonly serve: (place: { readonly elsewhere: string }) => Served;
  /** Fetched by this digest rather than by the tag. */
  readonly digest?: string;
  /** What the refusal says; undefined for what is taken, and contained. */
  readonly refused?: RegExp;
  readonly code?: string;
}

export function sha256(content: Buffer | string): string {
  return `sha256:${createHash('sha256').update(content).digest('hex')}`;
}

const json = (value: unknown): Buffer => Buffer.from(typeof value === 'string' ? value : JSON.stringify(value));
const describe = (content: Buffer, mediaType: string) => ({ mediaType, digest: sha256(content), size: content.length });

const tar = tarArchive([{ name: 'word', content: 'harmless' }]);
const layer = gzipSync(tar);
const goodConfig = { architecture: 'amd64', os: 'linux', config: { Cmd: ['/word'] }, rootfs: { type: 'layers', diff_ids: [sha256(tar)] } };
const other = Buffer.from('something else');

interface Parts {
  readonly config?: unknown;
  readonly layers?: readonly Buffer[];
  /** Changes of the manifest. */
  readonly manifest?: (manifest: Readonly<Record<string, unknown>>) => unknown;
  /** Served in place of what the digests say. */
  readonly swap?: ReadonlyMap<string, Buffer>;
  readonly type?: string;
}

/** An image that is right but for what the parts say. */
function image({ config = goodConfig, layers = [layer], manifest = (same) => same, swap = new Map(), type = MANIFEST }: Parts = {}): Served {
  const configContent = json(config);
  const content = json(manifest({ schemaVersion: 2, mediaType: MANIFEST, config: describe(configContent, CONFIG), layers: layers.map((one) => describe(one, LAYER)) }));
  const blobs = new Map([configContent, ...layers].map((blob) => [sha256(blob), blob]));
  return { manifests: new Map([['1', { content, type }], [sha256(content), { content, type }]]), blobs: new Map([...blobs, ...swap]) };
}

function index(entries: readonly unknown[], below: ReadonlyMap<string, Buffer> = new Map()): Served {
  const content = json({ schemaVersion: 2, mediaType: INDEX, manifests: entries });
  return { manifests: new Map([['1', { content, type: INDEX }], ...[...below].map(([digest, one]) => [digest, { content: one, type: MANIFEST }] as const)]), blobs: image().blobs };
}

const HOST = { os: 'linux', architecture: process.arch === 'x64' ? 'amd64' : process.arch };
const goodManifest = [...image().manifests.values()][0]?.content ?? Buffer.alloc(0);
const withConfig = (change: Readonly<Record<string, unknown>>) => image({ config: { ...goodConfig, ...change } });
const withRuntime = (config: Readonly<Record<string, unknown>>) => withConfig({ config });
const withLayerDigest = (digest: string) => image({ manifest: (manifest) => ({ ...manifest, layers: [{ mediaType: LAYER, digest, size: 1 }] }) });
const configDigest = sha256(json(goodConfig));
const malformed = /is malformed/;

/** Manifests, configs, indexes and answers of a registry that means harm, each named for its trick. */
export const hostileImages: readonly HostileImage[] = [
  { trick: 'a manifest other than the digest that was asked for', digest: sha256('wanted'), serve: () => ({ ...image(), manifests: new Map([[sha256('wanted'), { content: goodManifest, type: MANIFEST }]]) }), refused: /sent manifest .* for/ },
  { trick: 'a config other than its digest', serve: () => image({ swap: new Map([[configDigest, json({ ...goodConfig, os: 'LINUX' })]]) }), refused: /came with other content/ },
  { trick: 'a config longer than its size', serve: () => image({ swap: new Map([[configDigest, Buffer.concat([json(goodConfig), Buffer.alloc(10, ' ')])]]) }), refused: /is larger than/ },
  { trick: 'a layer other than its digest', serve: () => image({ swap: new Map([[sha256(layer), Buffer.alloc(layer.length, 'x')]]) }), refused: /came as sha256/ },
  { trick: 'a layer longer than its size', serve: () => image({ swap: new Map([[sha256(layer), Buffer.concat([layer, other])]]) }), refused: /longer than|came as/ },
  { trick: 'a layer shorter than its size', serve: () => image({ swap: new Map([[sha256(layer), layer.subarray(0, 20)]]) }), refused: /shorter than/ },
  { trick: 'a layer that unpacks to something else than the config says', serve: () => withConfig({ rootfs: { type: 'layers', diff_ids: [sha256(other)] } }), refused: /the image's config says/ },
  { trick: 'a layer that is no archive', serve: () => image({ layers: [other], config: { ...goodConfig, rootfs: { type: 'layers', diff_ids: [sha256(other)] } } }), refused: /unpack layer/ },
  { trick: 'a layer whose compressed data is cut off', serve: () => image({ layers: [layer.subarray(0, -12)] }), refused: /unpack layer/ },
  { trick: 'a digest that climbs out of the store', serve: () => withLayerDigest(`sha256:../../${'a'.repeat(58)}`), refused: malformed },
  { trick: 'a digest that is a path', serve: () => withLayerDigest('sha256:/etc/passwd'), refused: malformed },
  { trick: 'a digest in upper case, another file for the same content', serve: () => withLayerDigest(`sha256:${'A'.repeat(64)}`), refused: malformed },
  { trick: 'a digest of an algorithm that collides', serve: () => withLayerDigest(`md5:${'a'.repeat(32)}`), refused: malformed },
  { trick: 'a digest with a newline behind it', serve: () => withLayerDigest(`sha256:${'a'.repeat(64)}\n`), refused: malformed },
  { trick: 'a config digest that climbs out of the store', serve: () => image({ manifest: (manifest) => ({ ...manifest, config: { mediaType: CONFIG, digest: 'sha256:../../../etc/shadow', size: 1 } }) }), refused: malformed },
  { trick: 'a diff ID that climbs out of the layers', serve: () => withConfig({ rootfs: { type: 'layers', diff_ids: ['sha256:../../..'] } }), refused: malformed },
  { trick: 'a negative size', serve: () => image({ manifest: (manifest) => ({ ...manifest, layers: [{ ...describe(layer, LAYER), size: -1 }] }) }), refused: malformed },
  { trick: 'a size beyond what a number holds', serve: () => image({ manifest: (manifest) => ({ ...manifest, layers: [{ ...describe(layer, LAYER), size: 1e300 }] }) }), refused: malformed },
  { trick: 'a giant manifest', serve: () => image({ manifest: (manifest) => ({ ...manifest, annotations: { padding: 'x'.repeat(5 * MIB) } }) }), refused: /larger than 4194304 bytes/ },
  { trick: 'a manifest without an end', serve: () => ({ blobs: new Map(), manifests: new Map([['1', { content: Buffer.alloc(MIB, ' '), type: MANIFEST, endless: true }]]) }), refused: /larger than 4194304 bytes/ },
  { trick: 'a manifest nested a million deep', serve: () => image({ manifest: () => `${'['.repeat(MIB)}${']'.repeat(MIB)}` }), refused: /nested more than/ },
  { trick: 'a config that claims gigabytes', serve: () => image({ manifest: (manifest) => ({ ...manifest, config: { mediaType: CONFIG, digest: configDigest, size: 2 ** 40 } }) }), refused: /larger than 8388608 bytes/ },
  { trick: 'a config nested a million deep', serve: () => image({ config: JSON.stringify(goodConfig).replace('"/word"', `${'['.repeat(MIB)}${']'.repeat(MIB)}`) }), refused: /nested more than/ },
  { trick: 'a history of millions of entries', serve: () => image({ config: JSON.stringify(goodConfig).replace('{"arch', `{"history":[{}${',{}'.repeat(2_000_000)}],"arch`) }), refused: malformed },
  { trick: 'more layers than a mount takes', serve: () => image({ layers: Array.from({ length: 501 }, () => layer) }), refused: malformed },
  { trick: 'more diff IDs than layers', serve: () => withConfig({ rootfs: { type: 'layers', diff_ids: [sha256(tar), sha256(tar)] } }), refused: /speaks of 2 layers/ },
  { trick: 'fewer diff IDs than layers', serve: () => withConfig({ rootfs: { type: 'layers', diff_ids: [] } }), refused: /speaks of 0 layers/ },
  { trick: 'an index of an index', serve: () => { const inner = json({ schemaVersion: 2, mediaType: INDEX, manifests: [{ ...describe(goodManifest, MANIFEST), platform: HOST }] }); return index([{ ...describe(inner, INDEX), platform: HOST }], new Map([[sha256(inner), inner]])); }, refused: /index of indexes/, code: 'Unsupported' },
  { trick: 'an index of fifteen thousand manifests', serve: () => index(Array.from({ length: 15_000 }, () => ({ ...describe(goodManifest, MANIFEST) }))), refused: malformed },
  { trick: 'an index that lies about the size of its manifest', serve: () => index([{ ...describe(goodManifest, MANIFEST), size: 3, platform: HOST }], new Map([[sha256(goodManifest), goodManifest]])), refused: /its index says/ },
  { trick: 'an index whose manifest is another', serve: () => index([{ ...describe(other, MANIFEST), platform: HOST }], new Map([[sha256(other), goodManifest]])), refused: /sent manifest .* for/ },
  { trick: 'an index with nothing for this platform', serve: () => index([{ ...describe(goodManifest, MANIFEST), platform: { os: 'linux', architecture: 'pdp11' } }]), refused: /has nothing for/, code: 'NotFound' },
  { trick: 'an image of an index that is for another platform than the index says', serve: () => withConfig({ os: 'windows' }), refused: /is made for windows/, code: 'Unsupported' },
  { trick: 'content that is a manifest to one and an index to another', serve: () => image({ manifest: (manifest) => ({ ...manifest, manifests: [] }) }), refused: /both a manifest and an index/ },
  { trick: 'a manifest that calls itself an index', serve: () => image({ manifest: (manifest) => ({ ...manifest, mediaType: INDEX }) }), refused: /both a manifest and an index/ },
  { trick: 'an index that calls itself a manifest', serve: () => image({ manifest: () => ({ schemaVersion: 2, mediaType: MANIFEST, manifests: [] }) }), refused: /both a manifest and an index/ },
  { trick: "Docker's schema 1, whose layers have no verified size", serve: () => image({ manifest: () => ({ schemaVersion: 1, name: 'x', tag: '1', fsLayers: [{ blobSum: sha256(layer) }], history: [] }) }), refused: /schema 1.*obsolete/, code: 'Unsupported' },
  { trick: 'an artifact that is no image', serve: () => image({ manifest: (manifest) => ({ ...manifest, config: { ...describe(json(goodConfig), 'application/vnd.cncf.helm.config.v1+json') } }) }), refused: /no container image/, code: 'Unsupported' },
  { trick: 'a layer of a type that says nothing of archives', serve: () => image({ manifest: (manifest) => ({ ...manifest, layers: [describe(layer, 'text/html')] }) }), refused: /type text\/html/, code: 'Unsupported' },
  { trick: 'an encrypted layer', serve: () => image({ manifest: (manifest) => ({ ...manifest, layers: [describe(layer, `${LAYER}+encrypted`)] }) }), refused: /can't be unpacked/, code: 'Unsupported' },
  { trick: 'a foreign layer with an address inside of the network', serve: ({ elsewhere }) => image({ manifest: (manifest) => ({ ...manifest, layers: [{ ...describe(other, 'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip'), urls: [elsewhere] }] }) }), refused: /has no blob/, code: 'NotFound' },
  { trick: 'a web page in place of a manifest', serve: () => image({ manifest: () => '<html>log in</html>', type: 'text/html' }), refused: /is not JSON/ },
  { trick: 'null in place of a manifest', serve: () => image({ manifest: () => 'null' }), refused: malformed },
  { trick: 'fields that meddle with prototypes', serve: () => image({ config: JSON.stringify(goodConfig).replace('{"arch', '{"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}},"arch') }) },
  { trick: 'an environment that is one word', serve: () => withRuntime({ Env: 'LD_PRELOAD=/evil.so' }), refused: malformed },
  { trick: 'an environment with a NUL in it', serve: () => withRuntime({ Env: ['A=b\0LD_PRELOAD=/evil.so'] }), refused: /NUL/ },
  { trick: 'a command that is an object', serve: () => withRuntime({ Cmd: { length: 1e9 } }), refused: malformed },
  { trick: 'a user that is a number', serve: () => withRuntime({ User: 0 }), refused: malformed },
  { trick: 'labels nested in labels', serve: () => withRuntime({ Labels: { a: { b: 'c' } } }), refused: malformed },
  { trick: 'a date that is an object', serve: () => withConfig({ created: { toString: 'x' } }), refused: malformed },
  { trick: 'a root file system that is not made of layers', serve: () => withConfig({ rootfs: { type: 'overlay', diff_ids: [sha256(tar)] } }), refused: malformed },
  { trick: 'the same layer a hundred times', serve: () => image({ layers: Array.from({ length: 100 }, () => layer), config: { ...goodConfig, rootfs: { type: 'layers', diff_ids: Array.from({ length: 100 }, () => sha256(tar)) } } }) },
  { trick: 'a layer in the clear that the manifest calls compressed', serve: () => image({ layers: [tar] }) },
];
