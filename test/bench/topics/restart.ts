import { setTimeout as sleep } from 'node:timers/promises';
import { DOCKER_IMAGE, DockerPeer } from '../peers/docker.ts';
import { MooringPeer } from '../peers/mooring.ts';
import { SIGNALLING_COMMAND, SignalPipe } from '../signal-pipe.ts';
import { interleave, type Table } from '../topic.ts';

const KILLS = 50;

/** From `kill -9` of a container's process to its successor running, under each engine's default policy. */
export async function restartTopic(): Promise<Table[]> {
  await using docker = await DockerPeer.start();
  await using mooring = await MooringPeer.start();
  await using dockerSignal = await SignalPipe.create();
  await using mooringSignal = await SignalPipe.create();

  // Each kill meets a container that has not been killed before: both engines back off from the second on, and by different rules.
  const rounds = KILLS + 3;
  const names = Array.from({ length: rounds }, (_, index) => `victim-${index}`);
  const bind = `${dockerSignal.folder}:/signal`;
  for (const name of names) {
    await docker.docker('run', '-d', '--name', name, '--network', 'none', '--restart', 'always', '-v', bind, DOCKER_IMAGE, ...SIGNALLING_COMMAND);
  }
  await mooring.drop(new Map(names.map((name) => [name, MooringPeer.document(name, { command: SIGNALLING_COMMAND, signal: mooringSignal.folder })])));
  await dockerSignal.reach(rounds, 60_000);
  await mooringSignal.reach(rounds, 60_000);
  await sleep(3_000); // docker's restart manager, like ours, treats a container that has just started as crashing

  const kill = async (pid: number, signal: SignalPipe): Promise<number> => {
    const before = signal.lines;
    const start = performance.now();
    process.kill(pid, 'SIGKILL');
    await signal.reach(before + 1, 20_000);
    return performance.now() - start;
  };
  const rows = await interleave(
    [
      {
        name: 'mooring',
        run: async (round) => kill((await mooring.pids(`victim-${round + 3}`)).init, mooringSignal),
      },
      {
        name: 'docker run --restart always',
        run: async (round) => kill(Number(await docker.docker('inspect', '-f', '{{.State.Pid}}', `victim-${round + 3}`)), dockerSignal),
      },
    ],
    { rounds: KILLS, warmup: 3 },
  );
  return [
    {
      title: 'Kill to running',
      figure: "ms from `kill -9` of the container's process to the first write of the next one",
      reference: 'mooring',
      rows,
      notes: [
        'Defaults on both sides: Mooring restarts a first crash at once and backs off 10 s doubling to 300 s after that; docker waits 100 ms, doubling.',
        'Aim: at least 20 × sooner than docker.',
      ],
    },
  ];
}
