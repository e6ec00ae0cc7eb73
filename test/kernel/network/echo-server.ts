/** Tells everybody who asks on TCP and UDP, IPv4 and IPv6, where the question came from. Argument: the port. */
import { createSocket } from 'node:dgram';
import { createServer } from 'node:net';

const port = Number(process.argv[2]);
const plain = (address = ''): string => address.replace(/^::ffff:/, '');

const udp = createSocket('udp6');
udp.on('message', (_, from) => udp.send(plain(from.address), from.port, from.address));
udp.bind(port, '::', () => {
  createServer((socket) => socket.on('error', () => {}).end(plain(socket.remoteAddress))).listen(port, '::', () => process.stdout.write('ready\n'));
});
