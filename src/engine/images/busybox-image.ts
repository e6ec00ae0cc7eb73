import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';

import { errnoOf, MooringError } from '../../lib/errors.ts';
import type { ImageStore } from './image-store.ts';
import type { LayerEntry } from './layer-entries.ts';

export const BUSYBOX_IMAGE = 'mooring.local/busybox:latest';

const BUSYBOX = '/bin/busybox';
const FIX = 'apt-get install busybox-static';

const FOLDERS = ['bin', 'dev', 'etc', 'home', 'proc', 'root', 'run', 'sbin', 'sys', 'tmp', 'usr', 'usr/bin', 'usr/sbin', 'var', 'var/log', 'var/tmp', 'var/www'];
const FOLDER_MODES: Readonly<Record<string, number>> = { root: 0o700, tmp: 0o1777, 'var/tmp': 0o1777 };

const FILES: Readonly<Record<string, string>> = {
  'etc/group': 'root:x:0:\ndaemon:x:1:\ntty:x:5:\nwww-data:x:33:\nusers:x:100:\nnogroup:x:65534:\n',
  'etc/hosts': '127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n',
  'etc/nsswitch.conf': 'passwd: files\ngroup: files\nhosts: files dns\n',
  'etc/passwd':
    'root:x:0:0:root:/root:/bin/sh\ndaemon:x:1:1:daemon:/usr/sbin:/bin/false\nwww-data:x:33:33:www-data:/var/www:/bin/false\nnobody:x:65534:65534:nobody:/home:/bin/false\n',
};

/** Puts the image that needs no registry into the store, made from the host's static busybox, unless it is there whole. */
export async function ensureBusyboxImage(images: ImageStore): Promise<void> {
  if (await images.isWhole(BUSYBOX_IMAGE)) return;
  await images.add({
    name: BUSYBOX_IMAGE,
    architecture: process.arch === 'x64' ? 'amd64' : process.arch,
    config: { Env: ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'], Cmd: ['sh'] },
    createdBy: `${BUSYBOX} of the host and a link for each of its applets`,
    layer: await busyboxLayer(),
  });
}

async function busyboxLayer(): Promise<LayerEntry[]> {
  const binary = await readBusybox();
  const { stdout } = await promisify(execFile)(BUSYBOX, ['--list-full']);
  const applets = stdout.split('\n').filter((applet) => applet !== '' && applet !== 'bin/busybox');
  // Deterministic, and sorted so that parents precede what is in them.
  return [
    ...FOLDERS.map((path): LayerEntry => ({ kind: 'folder', path, mode: FOLDER_MODES[path] ?? 0o755 })),
    ...Object.entries(FILES).map(([path, content]): LayerEntry => ({ kind: 'file', path, mode: 0o644, content })),
    { kind: 'file', path: 'bin/busybox', mode: 0o755, content: binary } satisfies LayerEntry,
    ...applets.map((path): LayerEntry => ({ kind: 'symlink', path, target: '/bin/busybox' })),
  ].sort((a, b) => (a.path < b.path ? -1 : 1));
}

async function readBusybox(): Promise<Buffer> {
  let binary: Buffer;
  try {
    binary = await readFile(BUSYBOX);
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw error;
    throw new MooringError('Unavailable', `${BUSYBOX_IMAGE} can't be made: ${BUSYBOX} is missing`, { fix: FIX, cause: error });
  }
  if (!isStaticExecutable(binary))
    throw new MooringError('Unavailable', `${BUSYBOX_IMAGE} can't be made: ${BUSYBOX} is not a static 64-bit executable, and the image holds no libraries`, { fix: FIX });
  return binary;
}

/** Whether this is a little-endian ELF64 file without a PT_INTERP program header, which would name a dynamic loader (elf(5)). */
export function isStaticExecutable(file: Buffer): boolean {
  const ELF64_LITTLE = Buffer.from([0x7f, 0x45, 0x4c, 0x46, 2, 1]);
  const PT_INTERP = 3;
  if (file.length < 64 || !file.subarray(0, 6).equals(ELF64_LITTLE)) return false;
  const table = Number(file.readBigUInt64LE(32)); // e_phoff
  const size = file.readUInt16LE(54); // e_phentsize
  const count = file.readUInt16LE(56); // e_phnum
  if (table + size * count > file.length) return false;
  for (let n = 0; n < count; n++) if (file.readUInt32LE(table + n * size) === PT_INTERP) return false;
  return true;
}
