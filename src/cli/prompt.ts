import { MooringError } from '../lib/errors.ts';
import { RawTerminal } from './terminal.ts';

const ENTER = /[\r\n]/;
const INTERRUPT = '\u0003';
const END_OF_INPUT = '\u0004';
const ERASE = /[\b\u007f]/;

/** Asks for a line on the terminal. Of a secret nothing is shown. The questions go to standard error, so that output can be redirected. */
export async function prompt(question: string, { secret }: { readonly secret: boolean }): Promise<string> {
  const { stdin, stderr } = process;
  if (!stdin.isTTY) throw new MooringError('Invalid', `there is no terminal to ask for "${question}" on`, { fix: 'give --username, and the password with --password-stdin' });
  using terminal = new DisposableStack();
  // Before the question: who answers at once must not be shown what is typed.
  terminal.use(new RawTerminal(stdin));
  stderr.write(`${question}: `);
  terminal.defer(() => {
    stderr.write('\n');
    stdin.pause();
  });
  let line = '';
  for await (const keys of stdin.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    for (const key of keys.toString('utf8')) {
      if (key === INTERRUPT || (key === END_OF_INPUT && line === '')) throw nothing();
      if (ENTER.test(key)) return line;
      if (ERASE.test(key)) {
        if (!secret && line !== '') stderr.write('\b \b');
        line = line.slice(0, -1);
      } else if (key >= ' ') {
        line += key;
        if (!secret) stderr.write(key);
      }
    }
  }
  throw nothing();
}

function nothing(): MooringError {
  return new MooringError('Invalid', 'nothing was entered');
}
