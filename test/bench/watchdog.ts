import { spawn } from 'node:child_process';

/**
 * Has a shell script run should this process end before `dismiss`, however it ends, SIGKILL included: the script waits, in a session of its own, for a line on a pipe
 * that only this process holds open.
 */
export function watchdog(script: string, args: readonly string[], env: NodeJS.ProcessEnv = process.env): { readonly dismiss: () => void } {
  const child = spawn('sh', ['-c', `read -r word && exit 0\n${script}`, 'watchdog', ...args], { env, stdio: ['pipe', 'ignore', 'ignore'], detached: true });
  child.unref();
  child.stdin.on('error', () => {}); // it was killed; what it is for is this process's own to do then
  return { dismiss: () => void child.stdin.end('done\n') };
}
