import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { MooringError } from '../../lib/errors.ts';
import type { Container } from '../../spec/container.ts';
import { containerName } from '../../spec/name.ts';
import { deviceNumber, statIfThere } from './device-number.ts';
import type { RuntimeDevice, RuntimeDeviceRule } from './runtime-spec.ts';

/** Nodes for a container, and what it may do with them. */
export interface GrantedDevices {
  readonly nodes: readonly RuntimeDevice[];
  readonly rules: readonly RuntimeDeviceRule[];
}

/** Folders below /dev that a container has of its own, or that hold no devices of the node. */
const OWN_FOLDERS = new Set(['pts', 'shm', 'fd', 'mqueue', '.lxc', '.lxd-mounts', '.udev']);

/** What the spec asks for, looked up on this node. Throws `NotFound` and `Invalid`. */
export async function grantedDevices({ metadata, spec }: Container): Promise<GrantedDevices> {
  const found: { readonly node: RuntimeDevice; readonly access: string }[] = [];
  for (const { path: place, containerPath = place, permissions } of spec.devices) {
    const nodes = await devicesAt(place, containerPath);
    if (nodes === undefined) throw new MooringError('NotFound', `container ${containerName(metadata)}: device ${place} is not there`, { fix: 'load its driver on this node, or take it out of spec.devices' });
    if (nodes.length === 0) throw new MooringError('Invalid', `container ${containerName(metadata)}: ${place} is no device, nor a folder with devices`, { fix: 'mount it by spec.mounts, or take it out of spec.devices' });
    for (const node of nodes) found.push({ node, access: permissions });
  }
  const rules = found.map(({ node: { type, major, minor }, access }) => ({ allow: true, type, major, minor, access }));
  const all = spec.privileged ? ((await devicesAt('/dev', '/dev')) ?? []) : [];
  const asked = found.map(({ node }) => node);
  return { nodes: [...asked, ...all.filter((node) => !asked.some((own) => own.path === node.path))], rules: [...rules, ...spec.deviceCgroupRules.map(parseRule)] };
}

/** The device, or those in a folder, however deep; undefined where there is nothing. */
async function devicesAt(place: string, inside: string): Promise<RuntimeDevice[] | undefined> {
  const status = await statIfThere(place);
  if (status === undefined) return undefined;
  if (status.isCharacterDevice() || status.isBlockDevice()) {
    return [{ path: inside, type: status.isBlockDevice() ? 'b' : 'c', ...deviceNumber(status), fileMode: status.mode & 0o777, uid: status.uid, gid: status.gid }];
  }
  if (!status.isDirectory()) return [];
  const entries = await readdir(place, { withFileTypes: true });
  const wanted = entries.filter((entry) => (entry.isDirectory() && !OWN_FOLDERS.has(entry.name)) || entry.isCharacterDevice() || entry.isBlockDevice());
  const below = await Promise.all(wanted.filter(({ name }) => name !== 'console').map(({ name }) => devicesAt(path.join(place, name), path.join(inside, name))));
  return below.flatMap((nodes) => nodes ?? []);
}

/** `c 189:* rwm` as the schema has checked it. */
function parseRule(rule: string): RuntimeDeviceRule {
  const [type = '', numbers = '', access = ''] = rule.split(' ');
  const [major = '*', minor = '*'] = numbers.split(':');
  const kind = type === 'b' || type === 'c' ? { type } as const : {};
  return { allow: true, ...kind, ...(major !== '*' && { major: Number(major) }), ...(minor !== '*' && { minor: Number(minor) }), access };
}
