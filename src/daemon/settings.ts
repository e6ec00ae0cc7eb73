import { resolve } from 'node:path';
import type { DaemonFlags, TakeDownFlags } from '../api/v1/daemon-module.ts';
import type { TlsFiles } from '../api/tls-identity.ts';
import { DEFAULTS, tokenSocketPath } from '../api/v1/defaults.ts';
import { readRegistriesFile } from '../engine/images/registry/registries-file.ts';
import type { HostSettings, RegistrySettings } from '../engine/images/registry/registry-settings.ts';
import { dockerConfigFile, findCredentials } from '../lib/docker-config.ts';
import { MooringError } from '../lib/errors.ts';
import { parseTcpAddress, type TcpAddress } from '../lib/listen-on-tcp.ts';
import type { LogLevel } from '../lib/logger.ts';
import { durationMs } from '../spec/duration.ts';
import { DEFAULT_REGISTRY } from '../spec/image-reference.ts';

/** What both the daemon and a take-down without one need to know. */
export interface GroundSettings {
  readonly dataDir: string;
  readonly runDir: string;
  readonly instance: string;
  readonly logLevel: LogLevel;
}

export interface Settings extends GroundSettings {
  readonly specs: string;
  /** Undefined when metrics are off. */
  readonly metrics: (TcpAddress & { readonly tokenFile?: string }) | undefined;
  /** Where the Docker Engine API is served beside its sockets, and with what; undefined for nowhere. */
  readonly dockerTcp: (TcpAddress & TlsFiles & { readonly origins: readonly string[] }) | undefined;
  /** Whether TCP, and a socket of its own, ask for a token. */
  readonly dockerTokens: boolean;
  readonly resyncIntervalMs: number;
  /** Folder of the secrets that `spec.imagePullSecrets` names. */
  readonly pullSecrets: string;
  readonly sandboxes: number;
}

/** sun_path of sockaddr_un holds 108 bytes with its NUL (unix(7)). */
const MAX_SOCKET_PATH_BYTES = 107;
const LOG_LEVELS: readonly string[] = ['debug', 'info', 'warn', 'error', 'silent'] satisfies readonly LogLevel[];

/** Checks the flags that say where an instance lives. Throws `Invalid`. */
export function groundSettings({ dataDir, runDir, instance, logLevel }: TakeDownFlags): GroundSettings {
  const data = resolve(dataDir);
  // Overlayfs takes its folders in an option string where these characters mean something.
  if (/[:,\\]/.test(data)) throw invalidFlag('--data-dir', dataDir, 'its path has a ":", "," or "\\", which overlayfs takes for its own', 'give a folder without them');
  const run = resolve(runDir);
  // The longest of them.
  const socket = tokenSocketPath(run);
  if (Buffer.byteLength(socket) > MAX_SOCKET_PATH_BYTES) throw invalidFlag('--run-dir', runDir, `${socket} is longer than the ${MAX_SOCKET_PATH_BYTES} bytes of a socket's path`, 'give a shorter folder');
  if (!/^[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?$/.test(instance)) throw invalidFlag('--instance', instance, 'it names cgroups', 'use up to 32 lower-case letters, digits and inner dashes');
  if (!isLogLevel(logLevel)) throw invalidFlag('--log-level', logLevel, 'it is no level', `use one of ${LOG_LEVELS.join(', ')}`);
  return { dataDir: data, runDir: run, instance, logLevel };
}

/** Checks all flags of the daemon. Throws `Invalid`. */
export function settings(flags: DaemonFlags): Settings {
  return {
    ...groundSettings(flags),
    specs: resolve(flags.specs),
    metrics: metricsSettings(flags),
    dockerTcp: dockerTcpSettings(flags),
    dockerTokens: flags.dockerTokens ?? false,
    resyncIntervalMs: resyncIntervalMs(flags.resyncInterval),
    pullSecrets: resolve(flags.pullSecrets ?? DEFAULTS.pullSecrets),
    sandboxes: sandboxes(flags.sandboxes ?? DEFAULTS.sandboxes),
  };
}

/** Certificates and logins where Docker has them, so that what works with it works here; all else from the registries file. Throws `Invalid`. */
export async function registrySettings({ registries, registryCa = [], insecureRegistry = [] }: Pick<DaemonFlags, 'registries' | 'registryCa' | 'insecureRegistry'>): Promise<RegistrySettings> {
  const { hosts, defaultRegistry = DEFAULT_REGISTRY } = await readRegistriesFile(resolve(registries ?? DEFAULTS.registries), { required: registries !== undefined });
  const known = new Map<string, HostSettings>(hosts);
  for (const host of insecureRegistry) known.set(host, { ...(known.get(host) ?? known.get('*') ?? { mirrors: [] }), insecure: true });
  const configFile = dockerConfigFile();
  return { defaultRegistry, hosts: known, caFiles: registryCa.map((file) => resolve(file)), certsDir: '/etc/docker/certs.d', credentials: (registry) => findCredentials(registry, configFile) };
}

function metricsSettings({ metricsAddr, metricsTokenFile }: DaemonFlags): Settings['metrics'] {
  if (metricsAddr === 'off') return undefined;
  const address = parseTcpAddress(metricsAddr);
  if (address === undefined) throw invalidFlag('--metrics-addr', metricsAddr, 'it is no address', 'write HOST:PORT such as 127.0.0.1:9476 or [::1]:9476, or "off"');
  return { ...address, ...(metricsTokenFile !== undefined && { tokenFile: resolve(metricsTokenFile) }) };
}

/** TCP is served with mutual TLS or not at all. */
function dockerTcpSettings({ dockerAddr, tlsCa, tlsCert, tlsKey, dockerOrigin = [] }: DaemonFlags): Settings['dockerTcp'] {
  const files = { '--tls-ca': tlsCa, '--tls-cert': tlsCert, '--tls-key': tlsKey };
  if (dockerAddr === undefined) {
    const [stray] = [...Object.entries(files).filter(([, file]) => file !== undefined).map(([flag]) => flag), ...(dockerOrigin.length > 0 ? ['--docker-origin'] : [])];
    if (stray !== undefined) throw new MooringError('Invalid', `${stray} is of no use without --docker-addr`, { fix: 'give --docker-addr tcp://HOST:PORT, or leave it away' });
    return undefined;
  }
  const address = dockerAddr.startsWith('tcp://') ? parseTcpAddress(dockerAddr.slice('tcp://'.length)) : undefined;
  if (address === undefined) throw invalidFlag('--docker-addr', dockerAddr, 'it is no address', 'write tcp://HOST:PORT such as tcp://127.0.0.1:2376');
  const missing = Object.entries(files).filter(([, file]) => file === undefined).map(([flag]) => flag);
  if (tlsCa === undefined || tlsCert === undefined || tlsKey === undefined) {
    throw new MooringError('Invalid', `--docker-addr ${dockerAddr} without ${missing.join(' and ')}: whoever reaches the Docker API is root, so it is served on TCP only to clients with a certificate`, {
      fix: "give --tls-ca, the authority of the clients' certificates, and --tls-cert and --tls-key, the daemon's own",
    });
  }
  for (const origin of dockerOrigin) {
    if (!URL.canParse(origin) || new URL(origin).origin !== origin) throw invalidFlag('--docker-origin', origin, 'it is no origin', 'write SCHEME://HOST[:PORT] such as https://panel.example.com');
  }
  return { ...address, caFile: resolve(tlsCa), certFile: resolve(tlsCert), keyFile: resolve(tlsKey), origins: dockerOrigin };
}

function sandboxes(text: string): number {
  if (!/^\d{1,2}$/.test(text)) throw invalidFlag('--sandboxes', text, 'it is not a number from 0 to 99', 'give how many are to stand ready');
  return Number(text);
}

function resyncIntervalMs(text: string): number {
  const interval = durationMs(text);
  if (interval < 1000) throw invalidFlag('--resync-interval', text, 'it is shorter than a second', 'give at least 1s');
  return interval;
}

function isLogLevel(text: string): text is LogLevel {
  return LOG_LEVELS.includes(text);
}

function invalidFlag(flag: string, value: string, why: string, fix: string): MooringError {
  return new MooringError('Invalid', `${flag} "${value}": ${why}`, { fix });
}
