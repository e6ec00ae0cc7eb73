/** Where things are unless told otherwise. The command and the daemon agree on these. */
export const DEFAULTS = {
  specs: '/etc/mooring/specs',
  registries: '/etc/mooring/registries.yaml',
  pullSecrets: '/etc/mooring/pull-secrets',
  dataDir: '/var/lib/mooring',
  runDir: '/run/mooring',
  metricsAddr: '127.0.0.1:9476',
  instance: 'default',
  logLevel: 'info',
  resyncInterval: '5m',
  sandboxes: '4',
} as const;

export function socketPath(runDir: string): string {
  return `${runDir}/mooring.sock`;
}

/** Where Docker's clients find the same daemon: `DOCKER_HOST=unix:///run/mooring/docker.sock`. */
export function dockerSocketPath(runDir: string): string {
  return `${runDir}/docker.sock`;
}

/** The same for who may look, and change nothing. */
export function readOnlySocketPath(runDir: string): string {
  return `${runDir}/docker-ro.sock`;
}

/** The same for who bears a token, which says what for; there with `--docker-tokens`. */
export function tokenSocketPath(runDir: string): string {
  return `${runDir}/docker-token.sock`;
}

/** The members of this group, where a node has it, may use the Docker sockets. As with any such socket, the one that is not read-only makes them root. */
export const SOCKET_GROUP = 'mooring';
