import { Option, type Command } from 'commander';
import type { ConvertOptions } from './commands/convert.ts';
import { filenameOption } from './program-change.ts';
import { examples, type Shell } from './shell.ts';

/** The command that reads other tools' files. */
export function defineConverting(program: Command, shell: Shell): void {
  const convert = program
    .command('convert')
    .description('Print what compose files and v1 Pods become here, as documents that "mooring apply" takes. Asks no daemon and changes nothing.')
    .addOption(filenameOption().makeOptionMandatory())
    .addOption(new Option('-o, --output <format>', 'yaml or json').choices(['yaml', 'json']).default('yaml'));
  examples(convert, ['mooring convert -f examples/compose/compose.yaml', 'mooring convert -f examples/compose/compose.yaml -o json']).action(async (flags: ConvertOptions) => {
    const action = await import('./commands/convert.ts');
    shell.finish(await action.convert(shell.io, flags));
  });
}
