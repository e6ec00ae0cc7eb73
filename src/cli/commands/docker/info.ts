import type { DockerClient } from '../../docker/docker-client.ts';
import { EXIT } from '../../exit.ts';
import type { Io } from '../../io.ts';
import { renderTemplate } from '../../template/template.ts';
import { serialize } from '../get.ts';

interface EngineInfo {
  readonly Warnings?: readonly string[] | null;
  readonly [field: string]: unknown;
}

export interface InfoFlags {
  readonly format?: string;
  readonly output?: 'json' | 'yaml';
}

/** As they are named on the page, and where they are in the answer. */
const LINES: readonly (readonly [label: string, field: string])[] = [
  ['Containers', 'Containers'],
  [' Running', 'ContainersRunning'],
  [' Paused', 'ContainersPaused'],
  [' Stopped', 'ContainersStopped'],
  ['Images', 'Images'],
  ['Server Version', 'ServerVersion'],
  ['Storage Driver', 'Driver'],
  ['Logging Driver', 'LoggingDriver'],
  ['Cgroup Driver', 'CgroupDriver'],
  ['Cgroup Version', 'CgroupVersion'],
  ['Default Runtime', 'DefaultRuntime'],
  ['Security Options', 'SecurityOptions'],
  ['Kernel Version', 'KernelVersion'],
  ['Operating System', 'OperatingSystem'],
  ['OSType', 'OSType'],
  ['Architecture', 'Architecture'],
  ['CPUs', 'NCPU'],
  ['Total Memory', 'MemTotal'],
  ['Name', 'Name'],
  ['ID', 'ID'],
  ['Data Directory', 'DockerRootDir'],
];

/** `mooring info`: the node and the engine, as `docker info` has them. */
export async function info(client: DockerClient, io: Io, { format, output }: InfoFlags): Promise<number> {
  const found = await client.get<EngineInfo>('/info');
  if (format !== undefined) io.out(format === 'json' ? `${JSON.stringify(found)}\n` : `${renderTemplate(format)(found)}\n`);
  else if (output !== undefined) io.out(await serialize(found, output));
  else {
    io.out(LINES.flatMap(([label, field]) => (found[field] === undefined ? [] : [`${label}: ${shown(field, found[field])}\n`])).join(''));
    for (const warning of found.Warnings ?? []) io.err(`${io.style.yellow(warning)}\n`);
  }
  return EXIT.ok;
}

function shown(field: string, value: unknown): string {
  if (field === 'MemTotal') return `${Number((Number(value) / 2 ** 30).toPrecision(4))}GiB`;
  if (Array.isArray(value)) return value.map((item: string) => item.replace(/^name=/, '')).join(', ');
  return typeof value === 'string' ? value : JSON.stringify(value);
}
