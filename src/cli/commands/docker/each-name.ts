import { EXIT, errorLines } from '../../exit.ts';
import { ConnectError } from '../../http/request.ts';
import type { Io } from '../../io.ts';

/** Does it for one name after the other, prints each that it is done for (unless that says false), and tells of each that it is not; 1 where there was one. */
export async function eachName(io: Io, names: readonly string[], act: (name: string) => Promise<unknown>): Promise<number> {
  let status: number = EXIT.ok;
  for (const name of names) {
    try {
      if ((await act(name)) !== false) io.out(`${name}\n`);
    } catch (error) {
      if (error instanceof ConnectError) throw error; // the others would fail likewise
      io.err(`${errorLines(error).join('\n')}\n`);
      status = EXIT.failure;
    }
  }
  return status;
}
