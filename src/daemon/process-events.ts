import type { Logger } from '../lib/logger.ts';

const FLUSH_MS = 500;

/** Calls `stop` at the first SIGINT or SIGTERM; the second ends the process where it stands, which its containers survive as well. */
export function endOnSignals(stop: () => void): Disposable {
  let asked = false;
  const onSignal = (signal: 'SIGINT' | 'SIGTERM'): void => {
    if (asked) process.exit(signal === 'SIGINT' ? 130 : 143);
    asked = true;
    stop();
  };
  process.on('SIGINT', onSignal).on('SIGTERM', onSignal);
  return { [Symbol.dispose]: () => void process.off('SIGINT', onSignal).off('SIGTERM', onSignal) };
}

/** A defect of ours is logged and ends the daemon. What runs it starts it again; the containers don't notice. */
export function exitOnDefect(logger: Logger): void {
  process.on('uncaughtException', (error, origin) => {
    logger.fatal({ err: error, origin }, 'a defect ends the daemon; containers run on');
    logger.flush(() => process.exit(1));
    // Nothing can be trusted now, the flush neither.
    setTimeout(() => process.exit(1), FLUSH_MS);
  });
}
