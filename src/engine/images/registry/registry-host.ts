import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { rootCertificates } from 'node:tls';
import { Agent, request } from 'undici';

import { errnoOf, messageOf, MooringError } from '../../../lib/errors.ts';
import type { RegistrySettings } from './registry-settings.ts';

/** A registry as it is reached. */
export interface RegistryHost {
  /** As references name it: `docker.io`. */
  readonly name: string;
  /** `https://registry-1.docker.io`. */
  readonly origin: string;
  readonly agent: Agent;
}

const SYSTEM_AUTHORITIES = '/etc/ssl/certs/ca-certificates.crt';
const CONNECT_TIMEOUT_MS = 15_000;
const HEADERS_TIMEOUT_MS = 60_000;
/** Between two pieces of a body. */
const BODY_TIMEOUT_MS = 60_000;

/** Finds out how to speak to a registry. The agent is the caller's to close. */
export async function openHost(name: string, settings: Pick<RegistrySettings, 'hosts' | 'caFiles' | 'certsDir'>): Promise<RegistryHost> {
  const address = name === 'docker.io' ? 'registry-1.docker.io' : name;
  const ca = await authorities(name, settings);
  const agent = new Agent({ connect: { ca, timeout: CONNECT_TIMEOUT_MS }, headersTimeout: HEADERS_TIMEOUT_MS, bodyTimeout: BODY_TIMEOUT_MS });
  const secure = { name, origin: `https://${address}`, agent };
  if (!isLoopback(address) && settings.hosts.get(name)?.insecure !== true) return secure;
  return (await speaksTls(secure)) ? secure : { ...secure, origin: `http://${address}` };
}

export function isLoopback(address: string): boolean {
  const host = new URL(`http://${address}`).hostname;
  return host === 'localhost' || host === '[::1]' || /^127(\.\d+){3}$/.test(host);
}

/** Only an answer that is no TLS means plain HTTP. A certificate that is not trusted does not: that may be somebody in between. */
async function speaksTls({ origin, agent, name }: RegistryHost): Promise<boolean> {
  try {
    const { body } = await request(`${origin}/v2/`, { dispatcher: agent });
    await body.dump();
    return true;
  } catch (error) {
    const code = errnoOf(error) ?? '';
    if (code === 'EPROTO' || code.startsWith('ERR_SSL_')) return false;
    await agent.close();
    throw connectionError(name, error);
  }
}

export function connectionError(registry: string, error: unknown): MooringError {
  const code = errnoOf(error) ?? '';
  const untrusted = /CERT|SIGN|ISSUER/.test(code);
  const fix = untrusted ? `give its authority as caFile in the registries file or by --registry-ca FILE, or put it into /etc/docker/certs.d/${registry}/ca.crt` : 'see that the registry runs and is reached from here';
  return new MooringError('Unavailable', `registry ${registry} can't be reached: ${messageOf(error).replace(/; if the root CA.*$/, '') || code}`, { fix, cause: error });
}

async function authorities(name: string, { hosts, caFiles, certsDir }: Pick<RegistrySettings, 'hosts' | 'caFiles' | 'certsDir'>): Promise<string[]> {
  const own = path.join(certsDir, name);
  const files = (await listOrNothing(own)).filter((file) => file.endsWith('.crt')).map((file) => path.join(own, file));
  const [system, ...given] = await Promise.all([readOrNothing(SYSTEM_AUTHORITIES), ...[...caFiles, ...[hosts.get(name)?.caFile ?? []].flat(), ...files].map((file) => readFile(file, 'utf8'))]);
  return [...rootCertificates, ...(system === undefined ? [] : [system]), ...given];
}

async function listOrNothing(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return [];
    throw error;
  }
}

async function readOrNothing(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}
