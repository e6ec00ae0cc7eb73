import { MooringError } from '../../lib/errors.ts';

/** The content at an address of the web, as it comes. `Invalid` for what is no such address, `Unavailable` where there is nothing to be had. */
export async function* fetchUrl(address: string, signal?: AbortSignal): AsyncGenerator<Buffer, void, void> {
  if (!/^https?:\/\//i.test(address) || !URL.canParse(address)) throw new MooringError('Invalid', `"${address}" is no address to fetch from`, { fix: 'give one that begins with http:// or https://' });
  let response: Response;
  try {
    response = await fetch(address, { redirect: 'follow', ...(signal && { signal }) });
  } catch (cause) {
    signal?.throwIfAborted();
    throw new MooringError('Unavailable', `fetch ${address}`, { cause });
  }
  if (!response.ok || !response.body) throw new MooringError('Unavailable', `fetch ${address}: the server answered ${response.status} ${response.statusText}`);
  try {
    for await (const piece of response.body) yield Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength);
  } catch (cause) {
    signal?.throwIfAborted();
    throw new MooringError('Unavailable', `fetch ${address}: it broke off`, { cause });
  }
}
