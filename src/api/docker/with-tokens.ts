import { messageOf } from '../../lib/errors.ts';
import type { Exchange, Face } from '../socket-server.ts';
import type { ApiTokens } from '../tokens.ts';
import { sendRefusal } from '../reply.ts';

/** The same API for who bears a token, and for nobody else: each request has the grant of its own. */
export function withTokens(face: Face, services: Promise<{ readonly tokens: Pick<ApiTokens, 'grantOf'> }>): Face {
  const answer = async (exchange: Exchange): Promise<void> => {
    const secret = /^Bearer +(\S+) *$/i.exec(exchange.request.headers.authorization ?? '')?.[1];
    if (secret === undefined) return refuse(exchange, 401, 'a token is needed: send "Authorization: Bearer" with one that "mooring token create" made');
    const grant = (await services).tokens.grantOf(secret);
    if ('refusal' in grant) return refuse(exchange, 401, grant.refusal);
    face.answer({ ...exchange, grant });
  };
  return { upgrades: face.upgrades, answer: (exchange) => void answer(exchange).catch((error: unknown) => refuse(exchange, 503, messageOf(error))) };
}

function refuse(exchange: Exchange, status: 401 | 503, message: string): void {
  const { response } = exchange;
  if (response.socket === null) return; // the client has gone
  if (status === 401) response.setHeader('www-authenticate', 'Bearer');
  sendRefusal(exchange, { message }, status);
}
