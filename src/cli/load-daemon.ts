import type { DaemonModule } from '../api/v1/daemon-module.ts';

/** Loads the daemon's own bundle, which lies beside this one. Only two commands need it, and it is large. */
export async function loadDaemon(): Promise<DaemonModule> {
  const address = new URL('daemon.js', import.meta.url).href;
  return (await import(address)) as DaemonModule;
}
