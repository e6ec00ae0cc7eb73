import type { Command } from 'commander';
import type { DriftOptions } from './commands/drift.ts';
import { namespaceOption, outputOption } from './program-read.ts';
import { clientOf, examples, type Shell } from './shell.ts';

/** `mooring drift`. */
export function defineDrift(program: Command, shell: Shell): void {
  const { io } = shell;
  const drift = program
    .command('drift')
    .description('List what differs from what is declared though nobody changed that, and what of it was undone lately: what, when, by which step, and by whom it came about as far as the kernel tells.')
    .argument('[name]', 'only of this container: NAME, container/NAME or NAMESPACE/NAME')
    .addOption(namespaceOption())
    .option('-A, --all-namespaces', 'of all namespaces')
    .option('--exit-code', 'exit with 4 when something differs now')
    .addOption(outputOption('json', 'yaml', 'wide'));
  examples(drift, ['mooring drift', 'mooring drift web -o wide', 'mooring drift -A --exit-code']).action(async (word: string | undefined, flags: DriftOptions, command: Command) =>
    shell.finish(await (await import('./commands/drift.ts')).drift(clientOf(command), io, word, flags)),
  );
}
