import assert from 'node:assert/strict';
import { glob, readdir, readFile, rmdir } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

import { mountsMentioning, processesMentioning, readIfThere } from '../../support/kernel.ts';
import { until } from '../../support/until.ts';
import { perform, succeed, type Outcome } from './command.ts';

export const IMAGE = 'busybox-of-tests';

const TERMINAL = fileURLToPath(new URL('../../support/terminal.py', import.meta.url));

/** A container engine of others, which runs its containers with one OCI runtime; `docker` and `podman` take the same words. */
export interface Engine {
  /** The command and what goes before its own words. */
  readonly command: readonly [string, ...string[]];
  readonly env: NodeJS.ProcessEnv;
  /** Flags of every `run`. */
  readonly runFlags: readonly string[];
}

/** What engines of one test have in common. */
export interface Place {
  /** All that they keep is below it. */
  readonly folder: string;
  /** Their containers' cgroups are in this one, below every hierarchy: a name without slashes. */
  readonly cgroupParent: string;
  /** Where the runtime under test keeps its containers' states. */
  readonly stateFolder: string;
}

export type Step = readonly [string, ...(string | number)[]];

export function call({ command: [program, ...first], env }: Engine, ...words: readonly string[]): Promise<Outcome> {
  return perform(program, [...first, ...words], { env });
}

/** As call(), but fails where the command does. */
export function ask({ command: [program, ...first], env }: Engine, ...words: readonly string[]): Promise<string> {
  return succeed(program, [...first, ...words], { env });
}

/** `run --rm FLAGS IMAGE COMMAND` */
export function run(engine: Engine, flags: readonly string[], ...command: readonly string[]): Promise<Outcome> {
  return call(engine, 'run', '--rm', ...engine.runFlags, ...flags, IMAGE, ...command);
}

/** `run -d`: gives the container's pid, as the host has it. */
export async function start(engine: Engine, name: string, flags: readonly string[], ...command: readonly string[]): Promise<number> {
  await ask(engine, 'run', '-d', '--name', name, ...engine.runFlags, ...flags, IMAGE, ...command);
  return Number(await ask(engine, 'inspect', '-f', '{{.State.Pid}}', name));
}

/** Runs the words on a terminal of their own, which a person's steps are played on (test/support/terminal.py). */
export async function onTerminal({ command, env }: Engine, steps: readonly Step[], ...words: readonly string[]): Promise<{ output: string; code: number; restored: boolean }> {
  const said = await succeed('python3', [TERMINAL, JSON.stringify(steps), ...command, ...words], { env });
  return JSON.parse(said) as { output: string; code: number; restored: boolean };
}

/** What a file of a process's cgroup holds, of the controller's on version 1 or of the one on version 2. */
export async function cgroupFile(pid: number, controller: string, v1: string, v2: string): Promise<string> {
  const lines = (await readFile(`/proc/${pid}/cgroup`, 'utf8')).split('\n').map((line) => line.split(':'));
  const own = lines.find(([, controllers]) => controllers?.split(',').includes(controller));
  const path = own ? `/sys/fs/cgroup/${controller}${own[2]}/${v1}` : `/sys/fs/cgroup${lines.find(([number]) => number === '0')?.[2]}/${v2}`;
  return (await readFile(path, 'utf8')).trimEnd();
}

/** Proves that no container has left anything, and removes the engines' own cgroup. */
export async function assertNothingLeft({ folder, cgroupParent, stateFolder }: Place): Promise<void> {
  // podman cleans up behind one's back, when the command has ended.
  await until('no state of a container is left', async () => (await statesIn(stateFolder)).every((state) => !state.includes(folder)));
  assert.deepEqual(await mountsMentioning(folder), []);
  await until('no process of the engine is left', async () => (await processesMentioning(folder)).length === 0);
  for await (const parent of glob(`/sys/fs/cgroup/{,*/}${cgroupParent}`)) {
    const folders = (await readdir(parent, { withFileTypes: true })).filter((entry) => entry.isDirectory()).map(({ name }) => name);
    assert.deepEqual(folders.filter((name) => name !== 'conmon'), [], parent);
    if (folders.includes('conmon')) await rmdir(`${parent}/conmon`); // podman's, which stays
    await rmdir(parent);
  }
}

async function statesIn(folder: string): Promise<string[]> {
  return Array.fromAsync(glob(`${folder}/*/state.json`), async (file) => (await readIfThere(file)) ?? '');
}
