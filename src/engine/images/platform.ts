import { MooringError } from '../../lib/errors.ts';
import type { Descriptor, ImageIndex, Platform } from './oci-image.ts';

/** This node's, in Go's words, which images use. */
export function hostPlatform(arch: string = process.arch): Platform {
  if (arch === 'x64') return { os: 'linux', architecture: 'amd64' };
  if (arch === 'arm64') return { os: 'linux', architecture: 'arm64', variant: 'v8' };
  if (arch === 'arm') return { os: 'linux', architecture: 'arm', variant: 'v7' };
  return { os: 'linux', architecture: arch === 'ia32' ? '386' : arch };
}

/** `linux/arm64/v8`, `linux/amd64`. Throws `Invalid`. */
export function parsePlatform(text: string): Platform {
  const match = /^([a-z0-9]+)\/([a-z0-9_]+)(?:\/(v?[0-9]+))?$/.exec(text);
  if (!match?.[1] || !match[2]) throw new MooringError('Invalid', `"${text}" is not a platform`, { fix: 'write os/architecture[/variant], such as linux/arm64' });
  return normalized({ os: match[1], architecture: match[2], ...(match[3] !== undefined && { variant: match[3] }) });
}

export function formatPlatform({ os, architecture, variant }: Platform): string {
  return [os, architecture, ...(variant === undefined ? [] : [variant])].join('/');
}

/** The manifest of an index that suits best: of the same variant, or else of the nearest lower one of ARM. Throws `NotFound` naming what there is. */
export function choosePlatform({ manifests }: ImageIndex, wanted: Platform, what: string): Descriptor {
  const want = normalized(wanted);
  const candidates = manifests
    // BuildKit's attestations stand in the same list, for a platform that is not one.
    .filter(({ annotations }) => annotations?.['vnd.docker.reference.type'] === undefined)
    .flatMap((entry) => (entry.platform ? [{ entry, platform: normalized(entry.platform) }] : []))
    .filter(({ platform }) => platform.os === want.os && platform.architecture === want.architecture && variantNumber(platform) <= variantNumber(want));
  const [best] = candidates.sort((a, b) => variantNumber(b.platform) - variantNumber(a.platform));
  if (best) return best.entry;
  const there = manifests.flatMap(({ platform }) => (platform && platform.os !== 'unknown' ? [formatPlatform(platform)] : []));
  throw new MooringError('NotFound', `${what} has nothing for ${formatPlatform(wanted)}`, { fix: there.length === 0 ? 'it names no platform at all' : `it has ${there.join(', ')}` });
}

function normalized({ os, architecture, variant }: Platform): Platform {
  const names: Readonly<Record<string, string>> = { x86_64: 'amd64', aarch64: 'arm64', i386: '386', armhf: 'arm' };
  const name = names[architecture] ?? architecture;
  const defaults: Readonly<Record<string, string>> = { arm64: 'v8', arm: 'v7' };
  const number = variant === undefined || variant === '' ? defaults[name] : variant.startsWith('v') ? variant : `v${variant}`;
  return { os, architecture: name, ...(number !== undefined && { variant: number }) };
}

function variantNumber({ variant }: Platform): number {
  return variant === undefined ? 0 : Number(variant.slice(1)) || 0;
}
