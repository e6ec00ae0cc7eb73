import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { timeCommand } from '../process.ts';
import { interleave, type Contender, type Table } from '../topic.ts';

const runtime = fileURLToPath(new URL('../../../native/build/mooring-runtime', import.meta.url));
const ROUNDS = 15;
const WARMUP = 3;
/** Containers of one round, two at a time. */
const PARALLEL = 20;

let runs = 0;

/** The OCI command line of each, `run`, with a bundle; `crun` sees no cgroup v2, since it refuses hosts that have both. */
function commandOf(name: string, bundle: string, rootfs: string, network: boolean): [command: string, args: string[]] {
  const id = `bench-${process.pid}-${++runs}`;
  switch (name) {
    case 'mooring-runtime run':
      return [runtime, ['run', '--bundle', bundle, id]];
    case 'crun run':
      return ['unshare', ['-m', 'sh', '-c', 'umount /sys/fs/cgroup/unified 2>/dev/null; exec "$@"', 'crun', 'crun', 'run', '--bundle', bundle, id]];
    case 'runc run':
      return ['runc', ['run', '--bundle', bundle, id]];
    default:
      return ['bwrap', ['--unshare-pid', '--unshare-ipc', '--unshare-uts', '--unshare-cgroup', ...(network ? ['--unshare-net'] : []), '--bind', rootfs, '/', '--proc', '/proc', '--dev', '/dev', 'true']];
  }
}

const NAMES = ['mooring-runtime run', 'crun run', 'runc run', 'bubblewrap (no cgroups, no limits, no seccomp)'];

interface OciConfig {
  root: { path: string };
  linux: { cgroupsPath: string; namespaces: { type: string }[] };
}

/** A bundle over the same root file system whose configuration differs. */
async function variant(folder: string, name: string, change: (config: OciConfig) => void): Promise<string> {
  const bundle = join(folder, name);
  await mkdir(bundle);
  const config = JSON.parse(await readFile(join(folder, 'bundle/config.json'), 'utf8')) as OciConfig;
  config.root.path = join(folder, 'bundle/rootfs');
  change(config);
  await writeFile(join(bundle, 'config.json'), JSON.stringify(config));
  return bundle;
}

/** What others' command lines take for the same bundle: one after the other, with and without a network namespace, and two at a time. */
export async function runtimeTables(folder: string): Promise<Table[]> {
  const rootfs = join(folder, 'bundle/rootfs');
  const hostNetwork = await variant(folder, 'bundle-host-network', ({ linux }) => {
    linux.namespaces = linux.namespaces.filter(({ type }) => type !== 'network');
  });
  // Two containers at a time have a cgroup each, as they would.
  const halves = await Promise.all(
    ['bundle-left', 'bundle-right'].map((name) =>
      variant(folder, name, ({ linux }) => {
        linux.cgroupsPath = `/bench-${name}`;
      }),
    ),
  );
  const contenders = (bundle: string, network: boolean): Contender[] => NAMES.map((name) => ({ name, run: () => timeCommand(...commandOf(name, bundle, rootfs, network)) }));
  const pairs = NAMES.map(
    (name): Contender => ({
      name,
      run: async () => {
        const begin = performance.now();
        const half = async (bundle: string): Promise<void> => {
          for (let n = 0; n < PARALLEL / 2; n++) await timeCommand(...commandOf(name, bundle, rootfs, true));
        };
        await Promise.all(halves.map(half));
        return (performance.now() - begin) / PARALLEL;
      },
    }),
  );
  const table = (title: string, figure: string, rows: Table['rows']): Table => ({ title, figure, reference: 'mooring-runtime run', rows, notes: [] });
  return [
    table('`run` of the OCI command line', 'ms from spawn to exit of a `true` with limits, seccomp and masks, the same bundle for all', await interleave(contenders(join(folder, 'bundle'), true), { rounds: ROUNDS, warmup: WARMUP })),
    table("`run` in the node's network", 'the same without a network namespace', await interleave(contenders(hostNetwork, false), { rounds: ROUNDS, warmup: WARMUP })),
    table('Two at a time', `ms a container, ${PARALLEL} of them by two loops side by side`, await interleave(pairs, { rounds: 5, warmup: 1 })),
  ];
}
