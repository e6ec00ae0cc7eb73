/**
 * Runs every test and closes with one line, `N passed, N failed`. A phase whose runner breaks counts as one failure.
 *
 *   node test/run.ts            all phases
 *   node test/run.ts unit sim   only these; also one room's: kernel/engine
 *   --built                     builds no native tests: takes those that are there, where no compiler is
 */
import { spawn } from 'node:child_process';
import { glob, mkdtemp, readFile, rm } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { PATIENCE } from './support/patience.ts';

interface Counts {
  readonly passed: number;
  readonly failed: number;
}

interface Phase {
  readonly name: string;
  readonly run: () => Promise<Counts>;
}

const { values: flags, positionals: wanted } = parseArgs({ options: { built: { type: 'boolean', default: false } }, allowPositionals: true });

const root = fileURLToPath(new URL('..', import.meta.url));
const reporter = fileURLToPath(new URL('support/count-reporter.ts', import.meta.url));

function execute(command: string, args: readonly string[]): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] });
    child.once('error', reject);
    child.once('close', (code) => resolve(code ?? 1));
  });
}

async function check(target: string): Promise<Counts> {
  const code = await execute('make', ['--no-print-directory', target]);
  return code === 0 ? { passed: 1, failed: 0 } : { passed: 0, failed: 1 };
}

/** The native tests print their counts through doctest; a non-zero exit without a count is one failure. */
async function nativeTests(): Promise<Counts> {
  if (!flags.built && (await execute('make', ['--no-print-directory', `-j${availableParallelism()}`, '-C', 'native', 'tests'])) !== 0) return { passed: 0, failed: 1 };
  const folder = await mkdtemp(join(tmpdir(), 'mooring-native-'));
  try {
    const report = join(folder, 'report.xml');
    const code = await execute('native/build/tests', ['--reporters=xml', `--out=${report}`]);
    const text = await readFile(report, 'utf8');
    const cases = /<OverallResultsTestCases successes="(\d+)" failures="(\d+)"/.exec(text);
    const passed = Number(cases?.[1] ?? 0);
    const failed = Number(cases?.[2] ?? 0);
    if (failed > 0 || code !== 0) console.log(text);
    console.log(`native: ${passed} passed, ${failed} failed`);
    return { passed, failed: code !== 0 && failed === 0 ? 1 : failed };
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** Runs test files; each one's counts. A file whose runner breaks has no count, which is told as one failure. */
async function countsOf(files: readonly string[], concurrency: number): Promise<Map<string, Counts>> {
  const folder = await mkdtemp(join(tmpdir(), 'mooring-test-'));
  try {
    const report = join(folder, 'counts.jsonl');
    const code = await execute(process.execPath, [
      '--test',
      `--test-concurrency=${concurrency}`,
      `--test-timeout=${300_000 * PATIENCE}`,
      '--test-reporter=spec',
      '--test-reporter-destination=stdout',
      `--test-reporter=${reporter}`,
      `--test-reporter-destination=${report}`,
      ...files,
    ]);
    const lines = (await readFile(report, 'utf8')).split('\n').filter(Boolean);
    const counts = new Map(lines.map((line) => JSON.parse(line) as Counts & { readonly file: string }).map((line) => [relative(root, line.file), line]));
    const unheard = files.filter((file) => !counts.has(file));
    for (const file of unheard) counts.set(file, { file, passed: 0, failed: 1 });
    if (code !== 0 && !isRed(counts)) counts.set('the runner', { file: 'the runner', passed: 0, failed: 1 });
    return counts;
  } finally {
    await rm(folder, { recursive: true });
  }
}

function isRed(counts: ReadonlyMap<string, Counts>): boolean {
  return counts.values().some(({ failed }) => failed > 0);
}

/**
 * Kernel tests share a machine with whatever else runs on it, and thousands of their steps race with the kernel's. A file that is red is run once
 * more, by itself: what passes then counts as passed, and is told as unsteady, to be mended; what fails twice has failed.
 */
async function nodeTests(pattern: string, concurrency: number, secondTry: boolean): Promise<Counts> {
  const files = (await Array.fromAsync(glob(pattern, { cwd: root }))).toSorted();
  if (files.length === 0) return { passed: 0, failed: 1 };
  const counts = await countsOf(files, concurrency);
  const red = secondTry ? files.filter((file) => (counts.get(file)?.failed ?? 0) > 0) : [];
  for (const file of red) {
    console.log(`\n== ${file} is red; once more`);
    const again = await countsOf([file], 1);
    for (const [key, count] of again) counts.set(key, count);
    if (!isRed(again)) unsteady.push(file);
  }
  let passed = 0;
  let failed = 0;
  for (const count of counts.values()) {
    passed += count.passed;
    failed += count.failed;
  }
  return { passed, failed };
}

// One kernel test file at a time: they count the machine's processes, mounts and cgroups before and after.
const concurrency: Readonly<Record<string, number>> = { unit: 2, sim: 2, kernel: 1, docker: 1 };

function phaseOf(name: string): Phase {
  if (name === 'lint') return { name, run: () => check('lint') };
  if (name === 'native') return { name, run: nativeTests };
  const [kind = '', ...room] = name.split('/');
  const jobs = concurrency[kind];
  if (jobs === undefined || room.length > 1) {
    console.error(`unknown phase ${name}; there are ${everything.join(', ')}, and rooms of the last four, as kernel/engine`);
    process.exit(2);
  }
  return { name, run: () => nodeTests(`test/${name}/**/*.test.ts`, jobs, jobs === 1) };
}

/** Files that failed and then passed. */
const unsteady: string[] = [];

const everything = ['lint', 'native', 'unit', 'sim', 'kernel', 'docker'];
const phases = (wanted.length > 0 ? wanted : everything).map(phaseOf);

let passed = 0;
let failed = 0;
for (const phase of phases) {
  console.log(`\n== ${phase.name}`);
  const start = performance.now();
  const counts = await phase.run().catch((thrown: unknown): Counts => {
    console.error(thrown);
    return { passed: 0, failed: 1 };
  });
  passed += counts.passed;
  failed += counts.failed;
  console.log(`== ${phase.name}: ${counts.passed} passed, ${counts.failed} failed in ${((performance.now() - start) / 1000).toFixed(1)} s`);
}
if (unsteady.length > 0) console.log(`\nred, then green: ${unsteady.join(', ')}`);
console.log(`\n${passed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);
