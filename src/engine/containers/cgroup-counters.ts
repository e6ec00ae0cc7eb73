import path from 'node:path';

import type { FileContent } from '../../native/native.ts';
import type { CgroupLayout } from './cgroup-layout.ts';

type Controller = Parameters<CgroupLayout['hierarchyOf']>[0];

/** Names of files with counters, by controller and by the version of its hierarchy. */
export type CounterNames = Readonly<Partial<Record<Controller, { readonly 1: readonly string[]; readonly 2: readonly string[] }>>>;

/** Where the counters of a cgroup are, for what this host has. */
export function counterFiles(layout: CgroupLayout, cgroupPath: string, names: CounterNames): string[] {
  return Object.entries(names).flatMap(([controller, byVersion]) => {
    const hierarchy = layout.hierarchyOf(controller as Controller);
    return hierarchy ? byVersion[hierarchy.version].map((file) => `${hierarchy.mountPoint}${cgroupPath}/${file}`) : [];
  });
}

/** What the files say, by their names; without those that could not be read. */
export function textsByName(files: readonly string[], contents: readonly FileContent[]): Map<string, string> {
  return new Map(files.flatMap((file, index) => {
    const content = contents[index];
    return content && 'text' in content ? [[path.basename(file), content.text] as const] : [];
  }));
}

/** A "flat keyed" file: a name and a number a line. */
export function flatKeyed(text: string): Map<string, number> {
  const counters = new Map<string, number>();
  for (const line of text.split('\n')) {
    const space = line.indexOf(' ');
    if (space > 0) counters.set(line.slice(0, space), Number(line.slice(space + 1)));
  }
  return counters;
}
