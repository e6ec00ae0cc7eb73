/** The form of a size in flags. */
export const SIZE = 'with b, k, m, g: 512m';

/** Limits that a container gets when it is created, and that an update changes: each flag with what it says. */
export const LIMIT_FLAGS: readonly (readonly [flags: string, description: string])[] = [
  ['-m, --memory <size>', `the most memory, ${SIZE}`],
  ['--memory-reservation <size>', 'what the kernel gives back least readily when memory is short'],
  ['--memory-swap <size>', 'memory and swap together; -1 for no limit'],
  ['--cpus <number>', 'the most processors: 1.5'],
  ['-c, --cpu-shares <weight>', 'its weight among others (1024 unless told otherwise)'],
  ['--cpu-period <microseconds>', "the scheduler's period"],
  ['--cpu-quota <microseconds>', 'processor time in a period'],
  ['--cpu-rt-period <microseconds>', 'the period of the realtime scheduler'],
  ['--cpu-rt-runtime <microseconds>', 'realtime in such a period'],
  ['--cpuset-cpus <list>', 'only these processors: 0-3, 0,1'],
  ['--cpuset-mems <list>', 'only memory of these nodes'],
  ['--pids-limit <number>', 'the most processes and threads; -1 for no limit'],
  ['--blkio-weight <weight>', 'its weight among others at disks, 10 to 1000'],
];
