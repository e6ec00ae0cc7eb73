import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { MooringError, messageOf } from '../lib/errors.ts';

/** Files in PEM: whom the clients' certificates are signed by, and the server's certificate with its key. */
export interface TlsFiles {
  readonly caFile: string;
  readonly certFile: string;
  readonly keyFile: string;
}

/** Who a server is, and whose clients it believes. */
export interface TlsIdentity {
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
  /** The first certificate of `cert`: the server's own. */
  readonly certificate: X509Certificate;
}

/** Reads the files, and sees that they are what they should be and belong together. Throws `Invalid`, naming the file. */
export async function readTlsIdentity({ caFile, certFile, keyFile }: TlsFiles): Promise<TlsIdentity> {
  const [ca, cert, key] = await Promise.all([read(caFile, '--tls-ca'), read(certFile, '--tls-cert'), read(keyFile, '--tls-key')]);
  certificateIn(ca, caFile, '--tls-ca');
  const certificate = certificateIn(cert, certFile, '--tls-cert');
  if (!certificate.checkPrivateKey(keyIn(key, keyFile))) {
    throw new MooringError('Invalid', `--tls-key ${keyFile} is not the key of the certificate in ${certFile}`, { fix: 'give the two that were made together' });
  }
  return { ca, cert, key, certificate };
}

async function read(file: string, flag: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    throw new MooringError('Invalid', `cannot read ${flag} ${file}: ${messageOf(error)}`, { fix: 'give a file that the daemon may read', cause: error });
  }
}

function certificateIn(pem: string, file: string, flag: string): X509Certificate {
  try {
    return new X509Certificate(pem);
  } catch (error) {
    throw new MooringError('Invalid', `${flag} ${file} holds no certificate`, { fix: 'give one in PEM', cause: error });
  }
}

function keyIn(pem: string, file: string): KeyObject {
  try {
    return createPrivateKey(pem);
  } catch (error) {
    throw new MooringError('Invalid', `--tls-key ${file} holds no key that can be used without a password`, { fix: 'give one in PEM', cause: error });
  }
}
