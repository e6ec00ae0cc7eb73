import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const openssl = (folder: string, ...args: readonly string[]): Promise<unknown> => promisify(execFile)('openssl', args, { cwd: folder });
const KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'] as const;

/** An authority as a person makes one with openssl, its files in a folder. */
export class Authority {
  readonly name: string;
  readonly #folder: string;

  private constructor(folder: string, name: string) {
    this.#folder = folder;
    this.name = name;
  }

  static async create(folder: string, name: string): Promise<Authority> {
    await openssl(folder, 'req', '-x509', ...KEY, '-days', '2', '-subj', `/CN=${name}`, '-keyout', `${name}-key.pem`, '-out', `${name}.pem`);
    return new Authority(folder, name);
  }

  get file(): string {
    return join(this.#folder, `${this.name}.pem`);
  }

  /** A certificate with its key: a server's by its names (`DNS:localhost,IP:127.0.0.1`), a client's without. */
  async sign(name: string, names?: string): Promise<{ readonly cert: string; readonly key: string }> {
    const [cert, key] = [join(this.#folder, `${name}.pem`), join(this.#folder, `${name}-key.pem`)];
    await writeFile(join(this.#folder, `${name}.cnf`), names === undefined ? 'extendedKeyUsage=clientAuth\n' : `extendedKeyUsage=serverAuth\nsubjectAltName=${names}\n`);
    await openssl(this.#folder, 'req', '-new', ...KEY, '-subj', `/CN=${name}`, '-keyout', key, '-out', `${name}.csr`);
    await openssl(this.#folder, 'x509', '-req', '-in', `${name}.csr`, '-CA', this.file, '-CAkey', `${this.name}-key.pem`, '-CAcreateserial', '-days', '2', '-extfile', `${name}.cnf`, '-out', cert);
    return { cert, key };
  }
}
