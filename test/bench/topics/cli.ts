import { fileURLToPath } from 'node:url';
import { timeCommand } from '../process.ts';
import { interleave, type Table } from '../topic.ts';

const mooring = fileURLToPath(new URL('../../../bin/mooring', import.meta.url));

/** What a command costs a person: start-up beside Node's own, and beside docker's client. */
export async function cliTopic(): Promise<Table[]> {
  const rows = await interleave(
    [
      { name: 'node -e 0', run: () => timeCommand(process.execPath, ['-e', '0']) },
      { name: 'mooring version', run: () => timeCommand(mooring, ['version']) },
      { name: 'docker --version', run: () => timeCommand('docker', ['--version']) },
    ],
    { rounds: 40, warmup: 5 },
  );
  return [
    {
      title: 'Start-up of the command',
      figure: 'ms from spawn to exit',
      reference: 'node -e 0',
      rows,
      notes: ['Aim: `mooring version` within 1.5 × of bare Node.'],
    },
  ];
}
