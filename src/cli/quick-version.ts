import { version } from './commands/version.ts';
import { errorLines, exitCodeOf } from './exit.ts';

/** `mooring version` without flags, past the parser of the whole command line: half of that command's time. */
export async function quickVersion(): Promise<number> {
  try {
    return await version((text) => void process.stdout.write(text), undefined, {});
  } catch (error) {
    process.stderr.write(`${errorLines(error).join('\n')}\n`);
    return exitCodeOf(error);
  }
}
