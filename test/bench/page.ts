import { readFile } from 'node:fs/promises';
import { availableParallelism, cpus, release, totalmem } from 'node:os';
import { capture } from './process.ts';
import type { Row, Table } from './topic.ts';

function number(value: number): string {
  if (value >= 100) return value.toFixed(0);
  return value >= 10 ? value.toFixed(1) : value.toFixed(2);
}

function rowText(row: Row, reference: Row | undefined): string {
  if ('void' in row) return `| ${row.contender} | **void**: ${row.void.replaceAll('|', '\\|').replaceAll('\n', ' ')} | | | | |`;
  const { median, min, max, p99, runs } = row.summary;
  const ratio = reference !== undefined && 'summary' in reference ? `${number(median / reference.summary.median)} ×` : '';
  return `| ${row.contender} | ${number(median)} | ${number(min)} – ${number(max)} | ${number(p99)} | ${runs} | ${ratio} |`;
}

function tableText(table: Table): string {
  const reference = table.rows.find((row) => row.contender === table.reference);
  return [
    `### ${table.title}`,
    '',
    `${table.figure}. Ratio: to ${table.reference}.`,
    '',
    '| | median | min – max | p99 | runs | ratio |',
    '| --- | ---: | ---: | ---: | ---: | ---: |',
    ...table.rows.map((row) => rowText(row, reference)),
    '',
    ...table.notes.map((note) => `- ${note}`),
    ...(table.notes.length > 0 ? [''] : []),
  ].join('\n');
}

const versionCommands: readonly (readonly [string, ...string[]])[] = [
  ['dockerd', '--version'],
  ['runc', '--version'],
  ['crun', '--version'],
  ['bwrap', '--version'],
];

async function machine(): Promise<string> {
  const versions = await Promise.all(
    versionCommands.map(async ([command, ...args]) => (await capture(command, args).catch(() => `${command}: not installed`)).split('\n')[0]),
  );
  const os = /PRETTY_NAME="(.*)"/.exec(await readFile('/etc/os-release', 'utf8'))?.[1] ?? 'Linux';
  return [
    `- ${os}, Linux ${release()}, ${availableParallelism()} × ${cpus()[0]?.model ?? 'CPU'}, ${(totalmem() / 2 ** 30).toFixed(0)} GiB`,
    `- Node ${process.version}; ${versions.join('; ')}`,
  ].join('\n');
}

/** The summary page, from the newest result of each topic. */
export async function performancePage(topics: ReadonlyMap<string, readonly Table[]>): Promise<string> {
  const sections = [...topics].map(([topic, tables]) => `## \`make bench-${topic}\`\n\n${tables.map(tableText).join('\n')}`);
  return `# Performance

Written by \`make bench\`; do not edit. Every table was measured in one run, its rows in turn (A B A B …) after a warm-up, on a machine that
did nothing else. Lower is better. The figures belong to this machine; the ratios are what to look at.

${await machine()}

${sections.join('\n')}`;
}
