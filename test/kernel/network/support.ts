import assert from 'node:assert/strict';
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';

import type { ContainerId } from '../../../src/engine/engine.ts';
import { bridgeName, tableName } from '../../../src/engine/network/network-names.ts';
import type { Container } from '../../../src/spec/container.ts';
import { type ContainerName, parseContainerName } from '../../../src/spec/name.ts';
import { until } from '../../support/until.ts';
import { containerOf, openNode, type TestNode } from '../engine/support.ts';

export { networkOf } from './documents.ts';

export const run = promisify(execFile);

/** Where a question is asked from: the node itself, the network of a process, or a named network namespace. */
export type Place = 'node' | { readonly pid: number } | { readonly netns: string };

export interface Started {
  readonly id: ContainerId;
  readonly name: ContainerName;
  readonly pid: number;
  readonly v4: string;
  readonly v6: string;
}

export async function openNetworkNode(): Promise<TestNode> {
  const node = await openNode();
  await node.engine.adopt();
  return node;
}

/** Runs a container that sleeps, on the default network. */
export async function startOn(node: TestNode, name: string, ports: readonly Record<string, unknown>[] = [], spec: Record<string, unknown> = {}): Promise<Started> {
  const id = await node.engine.create(containerOf(name, { command: ['sleep', 'infinity'], network: { mode: 'Bridge' }, ports, ...spec }), 'hash');
  await node.engine.start(id);
  return observed(node, name);
}

export async function observed(node: TestNode, name: string): Promise<Started> {
  const found = await node.engine.observe(parseContainerName(name));
  assert.ok(found?.process.state === 'Running', JSON.stringify(found));
  const [v4 = '', v6 = ''] = found.addresses ?? [];
  return { id: found.id, name: found.name, pid: found.process.init.pid, v4, v6 };
}

/** The addresses of a process's interface, without those that are for its link alone. */
export async function addressesOn(place: Place, link: string): Promise<string[]> {
  const [found] = JSON.parse((await enter(place, 'ip', '-j', 'addr', 'show', link)).stdout) as { readonly addr_info: readonly { readonly local: string; readonly scope: string }[] }[];
  return (found?.addr_info ?? []).filter(({ scope }) => scope === 'global').map(({ local }) => local);
}

/** Drift of a container as the engine finds it now, for people. */
export async function driftOf(node: TestNode, name: ContainerName): Promise<string[]> {
  return ((await node.engine.observe(name))?.drift ?? []).map(({ kind, message }) => `${kind}: ${message}`);
}

/** Makes a container's network what its own document says, or another that differs in that alone. */
export async function restoreNetwork(node: TestNode, name: ContainerName, container?: Container): Promise<void> {
  const found = await node.engine.observe(name);
  assert.ok(found);
  if (container) await node.engine.update(found.id, container, randomBytes(8).toString('hex'));
  else await node.engine.restoreNetwork(found.id);
}

export async function removeContainer(node: TestNode, { id, name }: Pick<Started, 'id' | 'name'>): Promise<void> {
  await node.engine.kill(id);
  await until('it has ended', async () => !['Running', 'Creating'].includes((await node.engine.observe(name))?.process.state ?? ''));
  await node.engine.remove(id);
}

/** An echo server on that port; ends with `servers`. */
export async function serve(servers: DisposableStack, place: Place, port: number): Promise<void> {
  const [command, ...words] = [...entering(place), process.execPath, path.join(import.meta.dirname, 'echo-server.ts'), String(port)];
  const server: ChildProcess = spawn(command, words, { stdio: ['ignore', 'pipe', 'inherit'] });
  servers.defer(() => server.kill('SIGKILL'));
  assert.ok(server.stdout);
  await once(server.stdout, 'data');
}

/** What echo servers say to whoever asks from there: the address that they see, or `none`. */
export async function ask<Target extends string>(place: Place, ...targets: readonly Target[]): Promise<Record<Target, string>> {
  const answer = await enter(place, process.execPath, path.join(import.meta.dirname, 'echo-client.ts'), ...targets);
  return JSON.parse(answer.stdout) as Record<Target, string>;
}

export function enter(place: Place, ...words: readonly string[]): Promise<{ readonly stdout: string }> {
  const [command = '', ...rest] = [...entering(place), ...words];
  return run(command, rest);
}

function entering(place: Place): string[] {
  if (place === 'node') return [];
  return 'pid' in place ? ['nsenter', '--target', String(place.pid), '--net', '--'] : ['ip', 'netns', 'exec', place.netns];
}

/** The world beyond the node: a namespace with a link to it. */
export interface Outside extends AsyncDisposable {
  readonly place: { readonly netns: string };
  /** The node's addresses on the link. */
  readonly node: { readonly v4: string; readonly v6: string };
  readonly v4: string;
  readonly v6: string;
}

export async function makeOutside(): Promise<Outside> {
  const octet = 1 + (randomBytes(1)[0] ?? 0) % 250; // what a killed run left must not be in the way
  const netns = `mooring-out-${randomBytes(3).toString('hex')}`;
  const link = `mo${randomBytes(4).toString('hex')}`;
  const outside = { place: { netns }, node: { v4: `198.18.${octet}.1`, v6: `2001:db8:${octet}::1` }, v4: `198.18.${octet}.2`, v6: `2001:db8:${octet}::2` };
  const script = `
    ip netns add ${netns}
    ip link add ${link} type veth peer name eth0 netns ${netns}
    ip addr add ${outside.node.v4}/24 dev ${link}
    ip -6 addr add ${outside.node.v6}/64 dev ${link} nodad
    ip link set ${link} up
    ip -n ${netns} addr add ${outside.v4}/24 dev eth0
    ip -n ${netns} -6 addr add ${outside.v6}/64 dev eth0 nodad
    ip -n ${netns} link set lo up
    ip -n ${netns} link set eth0 up
    ip -n ${netns} route add default via ${outside.node.v4}
    ip -n ${netns} -6 route add default via ${outside.node.v6}`;
  await run('sh', ['-ec', script]);
  return { ...outside, [Symbol.asyncDispose]: async () => void (await run('ip', ['netns', 'del', netns])) };
}

/** What an instance has in the kernel and in its folder of namespaces; nothing once its last container is removed. */
export async function tracesOf(node: TestNode): Promise<string[]> {
  const links = JSON.parse((await run('ip', ['-j', 'link'])).stdout) as { readonly ifname: string; readonly master?: string }[];
  const bridges = [undefined, ...node.engine.networks.list()].map((network) => bridgeName(node.instance, network));
  const tables = (await run('nft', ['list', 'tables'])).stdout.split('\n').filter((line) => line.endsWith(` ${tableName(node.instance)}`));
  return [
    ...links.filter(({ ifname, master }) => bridges.includes(ifname) || bridges.includes(master ?? '')).map(({ ifname }) => `link ${ifname}`),
    ...tables,
    ...(await readdir(path.join(node.runDir, 'netns'))).map((name) => `namespace ${name}`),
  ];
}
