import { rowOf, type Row, type Table } from '../topic.ts';
import { dockerRound, mooringRound, type Round } from './scale.ts';

const DOCKERS = 500;
const COUNTS = [500, 1000];

/** Hundreds of containers at once, once each: docker takes minutes over them. */
export async function crowdTopic(): Promise<Table[]> {
  const rounds: { readonly contender: string; readonly round: Round }[] = [];
  for (const count of COUNTS) rounds.push({ contender: `mooring, ${count}`, round: await mooringRound(count) });
  rounds.push({ contender: `docker, ${DOCKERS}`, round: await dockerRound(DOCKERS) });
  const rows = (pick: (round: Round) => number): Row[] => rounds.map(({ contender, round }) => rowOf(contender, [pick(round)]));
  const table = (title: string, figure: string, pick: (round: Round) => number, notes: readonly string[] = []): Table => ({ title, figure, reference: `mooring, ${COUNTS[0] ?? 0}`, rows: rows(pick), notes });
  return [
    table('A crowd up', 's from the specs dropped into the directory (docker: from the first `docker run -d`, four at a time) to the last one\'s first write', ({ upSeconds }) => upSeconds, [
      'No network and a memory limit of 64 MiB on both sides. Aim: 500 in 5 s.',
    ]),
    table('A crowd down', 's for `mooring down`, `docker rm -f`', ({ downSeconds }) => downSeconds),
    table('Memory of each of a crowd', 'KiB of MemAvailable, kernel memory included', ({ perContainerKiB }) => perContainerKiB, ['Aim: 1 MiB at most.']),
    table('Memory of the process beside each of a crowd', 'KiB proportional set size', ({ minderPssKiB }) => minderPssKiB, ['Aim: under 100 KiB.']),
  ];
}
