/** Asks echo servers (`tcp://10.0.0.1:80`, `udp://[fd00::1]:80`) at once and prints, as JSON, what each said; `none` where no answer came. */
import { createSocket } from 'node:dgram';
import { connect } from 'node:net';

const PATIENCE_MS = Number(process.env['ECHO_PATIENCE_MS'] ?? 2_000);

function ask(target: string): Promise<string> {
  const { protocol, hostname, port } = new URL(target.replace(/^(tcp|udp):/, 'http:'));
  const host = hostname.replace(/^\[|\]$/g, '');
  const { promise, resolve } = Promise.withResolvers<string>();
  setTimeout(() => resolve('none'), PATIENCE_MS);
  if (target.startsWith('tcp') && protocol !== '') {
    const socket = connect({ host, port: Number(port) });
    let said = '';
    socket.on('data', (data) => (said += String(data)));
    socket.on('end', () => resolve(said));
    socket.on('error', () => resolve('none'));
  } else {
    const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4');
    socket.on('message', (data) => resolve(String(data)));
    socket.on('error', () => resolve('none'));
    // A datagram may be lost on the way, while the two ends' hardware addresses are yet to be learned.
    const send = (): void => socket.send('?', Number(port), host);
    setInterval(send, 300);
    send();
  }
  return promise;
}

const answers = await Promise.all(process.argv.slice(2).map(async (target) => [target, await ask(target)] as const));
process.stdout.write(JSON.stringify(Object.fromEntries(answers)), () => process.exit(0));
