import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';

import { until } from './until.ts';

export interface TestRegistry extends AsyncDisposable {
  /** `127.0.0.1:45678`. */
  readonly address: string;
  /** PEM file of the authority that signed its certificate, with `tls`. */
  readonly ca: string;
}

export const USER = { username: 'sailor', password: 'knots' };
/** bcrypt of the password, as `htpasswd -B` writes it. */
const HTPASSWD = 'sailor:$2b$05$R8m7/FK3zod8TuZaD7XynOV5SXhqS57a9OjpCtkjAlCYXu/A4jiU2\n';

/** Debian's docker-registry on a port and a folder of its own. Disposing of it ends the process and removes the folder. */
export async function startRegistry({ auth = false, tls = false }: { readonly auth?: boolean; readonly tls?: boolean } = {}): Promise<TestRegistry> {
  const root = await mkdtemp(path.join(tmpdir(), 'mooring-registry-'));
  const port = await freePort();
  const address = `127.0.0.1:${port}`;
  const ca = path.join(root, 'ca.crt');
  if (tls) await makeCertificate(root);
  if (auth) await writeFile(path.join(root, 'htpasswd'), HTPASSWD);
  await mkdir(path.join(root, 'data'));
  const config = {
    version: '0.1',
    log: { level: 'error', accesslog: { disabled: true } },
    storage: { filesystem: { rootdirectory: path.join(root, 'data') }, delete: { enabled: true } },
    http: { addr: address, secret: 'for this test', ...(tls && { tls: { certificate: path.join(root, 'server.crt'), key: path.join(root, 'server.key') } }) },
    ...(auth && { auth: { htpasswd: { realm: 'test', path: path.join(root, 'htpasswd') } } }),
  };
  // JSON is YAML.
  await writeFile(path.join(root, 'config.yml'), JSON.stringify(config));
  const server = spawn('docker-registry', ['serve', path.join(root, 'config.yml')], { stdio: ['ignore', 'ignore', 'pipe'] });
  let log = '';
  server.stderr.on('data', (data: Buffer) => (log += data.toString()));
  const ended = once(server, 'exit');
  await until('the registry listens', async () => {
    if (server.exitCode !== null) throw new Error(`docker-registry ended: ${log}`);
    const { stdout } = await promisify(execFile)('curl', ['-sk', '-o', '/dev/null', '-w', '%{http_code}', `${tls ? 'https' : 'http'}://${address}/v2/`]);
    return stdout === '200' || stdout === '401';
  });
  return {
    address,
    ca,
    async [Symbol.asyncDispose]() {
      server.kill('SIGKILL');
      await ended;
      await rm(root, { recursive: true });
    },
  };
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (typeof address !== 'object' || address === null) throw new Error('no port');
  return address.port;
}

async function makeCertificate(folder: string): Promise<void> {
  const openssl = (...args: string[]) => promisify(execFile)('openssl', args, { cwd: folder });
  await openssl('req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2', '-subj', '/CN=Test authority', '-keyout', 'ca.key', '-out', 'ca.crt');
  await openssl('req', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-subj', '/CN=127.0.0.1', '-keyout', 'server.key', '-out', 'server.csr');
  await writeFile(path.join(folder, 'names'), 'subjectAltName=IP:127.0.0.1');
  await openssl('x509', '-req', '-in', 'server.csr', '-CA', 'ca.crt', '-CAkey', 'ca.key', '-CAcreateserial', '-days', '2', '-extfile', 'names', '-out', 'server.crt');
}
