import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DOCKER_IMAGE, DockerPeer } from '../peers/docker.ts';
import { MooringPeer } from '../peers/mooring.ts';
import { inNamespace, NetworkPlace } from '../peers/network-place.ts';
import { capture } from '../process.ts';
import { type Row, rowOf, type Table } from '../topic.ts';
import { mooringDocument } from './network.ts';

const FIRST_PORT = 20_000;
const SIZES = [1, 100, 500];
const SAMPLES = 10;
/** How many are made at once while it only fills: more are no faster on two cores. */
const FILLERS = 4;

/** An engine in a place of its own, with containers on one bridge, each with a published port. */
interface Crowd extends AsyncDisposable {
  readonly name: string;
  readonly place: NetworkPlace;
  /** Milliseconds until it runs and is published. */
  add(name: string, port: number): Promise<number>;
  /** Milliseconds until all of it is gone. */
  remove(name: string): Promise<number>;
}

async function mooringCrowd(): Promise<Crowd> {
  await using made = new AsyncDisposableStack();
  const place = made.use(await NetworkPlace.make());
  const mooring = made.use(await MooringPeer.start(place));
  const kept = made.move();
  return {
    name: 'mooring',
    place,
    add: async (name, port) => {
      const file = join(mooring.folder, `${name}.json`);
      await writeFile(file, mooringDocument(name, [{ containerPort: 80, hostPort: port }]));
      return mooring.time('apply', '--wait', '-f', file);
    },
    remove: (name) => mooring.time('delete', '--wait', name),
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}

async function dockerCrowd(): Promise<Crowd> {
  await using made = new AsyncDisposableStack();
  const place = made.use(await NetworkPlace.make());
  const docker = made.use(await DockerPeer.start({ place, proxy: false }));
  const kept = made.move();
  return {
    name: 'docker',
    place,
    add: (name, port) => docker.time('run', '-d', '--name', name, '-p', `${port}:80`, DOCKER_IMAGE, 'sleep', '100000'),
    remove: (name) => docker.time('rm', '-f', name),
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}

interface Measured {
  readonly addMs: number[];
  readonly removeMs: number[];
  readonly rules: number;
  readonly bytes: number;
}

/** The rules of a place: those that a packet is held against, and what the whole of them weighs as text. */
async function rulesIn({ name }: NetworkPlace): Promise<{ readonly rules: number; readonly bytes: number }> {
  const [command, ...words] = [...inNamespace(name), 'nft', '-s', 'list', 'ruleset'];
  const text = await capture(command ?? '', words);
  const rules = text.split('\n').filter((line) => /^\t\t\S/.test(line) && !/^\t\t(type|elements|flags|typeof|size|policy|\S+ : )/.test(line)).length;
  return { rules, bytes: text.length };
}

async function measure(open: () => Promise<Crowd>, sizes: readonly number[], samples: number): Promise<{ readonly name: string; readonly at: ReadonlyMap<number, Measured> }> {
  await using crowd = await open();
  const at = new Map<number, Measured>();
  let size = 0;
  for (const wanted of sizes) {
    const fill = async (): Promise<void> => {
      while (size < wanted - 1) {
        const index = size++;
        await crowd.add(`c${index}`, FIRST_PORT + index);
      }
    };
    await Promise.all(Array.from({ length: FILLERS }, fill));
    const addMs: number[] = [];
    const removeMs: number[] = [];
    let rules = { rules: 0, bytes: 0 };
    for (let sample = -1; sample < samples; sample++) {
      const [added, name] = [await crowd.add('last', FIRST_PORT + 9_000), 'last'];
      if (sample === 0) rules = await rulesIn(crowd.place);
      const removed = await crowd.remove(name);
      if (sample < 0) continue;
      addMs.push(added);
      removeMs.push(removed);
    }
    at.set(wanted, { addMs, removeMs, ...rules });
  }
  return { name: crowd.name, at };
}

/** What one more container on a bridge costs, by how many there are, and how the rules grow. */
export async function networkCrowdTopic(sizes: readonly number[] = SIZES, samples = SAMPLES): Promise<Table[]> {
  const measured = [await measure(mooringCrowd, sizes, samples), await measure(dockerCrowd, sizes, samples)];
  const rows = (size: number, pick: (found: Measured) => readonly number[]): Row[] => measured.map(({ name, at }) => rowOf(name, pick(at.get(size) ?? { addMs: [], removeMs: [], rules: 0, bytes: 0 })));
  return sizes.flatMap((size): Table[] => [
    { title: `One more container, the ${size}${size === 1 ? 'st' : 'th'} on its bridge`, figure: 'ms of the whole command, with one published port, until it runs (`mooring apply --wait`, `docker run -d`)', reference: 'mooring', rows: rows(size, ({ addMs }) => addMs), notes: ['Docker without its user-land proxy.'] },
    { title: `One container less of ${size}`, figure: 'ms of the whole command (`mooring delete --wait`, `docker rm -f`)', reference: 'mooring', rows: rows(size, ({ removeMs }) => removeMs), notes: [] },
    { title: `Rules with ${size} published ports`, figure: 'rules in the kernel', reference: 'mooring', rows: rows(size, ({ rules }) => [rules]), notes: [`As text they weigh ${measured.map(({ name, at }) => `${name} ${at.get(size)?.bytes ?? 0} bytes`).join(', ')}.`] },
  ]);
}
