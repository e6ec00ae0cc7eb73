import { MooringError } from '../../lib/errors.ts';
import { sendJson } from '../reply.ts';
import { type Call, readBody } from './call.ts';
import type { Route } from './routes.ts';
import type { TokenList } from './token-types.ts';

/** The tokens below /v1/tokens. Who may use this socket is root, and gives away what it likes. */
export const tokenRoutes: readonly Route[] = [
  { method: 'GET', path: '/v1/tokens', handle: (call, { tokens }) => sendJson(call, { kind: 'TokenList', items: tokens.list() } satisfies TokenList) },
  { method: 'POST', path: '/v1/tokens', handle: async (call, { tokens }) => sendJson(call, tokens.create(await readJson(call)), 201) },
  {
    method: 'DELETE',
    path: '/v1/tokens/:name',
    handle: (call, { tokens }) => {
      const name = call.params['name'] ?? '';
      tokens.revoke(name);
      sendJson(call, { kind: 'TokenRevoked', name });
    },
  },
];

async function readJson(call: Call): Promise<unknown> {
  try {
    return JSON.parse(await readBody(call));
  } catch (error) {
    if (error instanceof MooringError) throw error;
    throw new MooringError('Invalid', "the request's body is not JSON", { cause: error });
  }
}
