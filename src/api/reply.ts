import type { Exchange } from './socket-server.ts';

export function sendJson({ response }: Pick<Exchange, 'response'>, body: unknown, status = 200): void {
  const content = Buffer.from(`${JSON.stringify(body)}\n`);
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': content.length });
  response.end(content);
}
