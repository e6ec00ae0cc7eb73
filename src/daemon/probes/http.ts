import { type IncomingMessage, type OutgoingHttpHeaders, request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import type { ProbeAnswer } from '../../reconcile/prober.ts';
import type { ContainerProbe } from '../../spec/probe.ts';
import { MAX_OUTPUT, urlHost } from './output.ts';

type HttpGet = NonNullable<ContainerProbe['httpGet']>;

/** Redirections that are followed, as the kubelet does. */
const MOST_REDIRECTIONS = 10;

/** Probes by a GET as the kubelet does: a status from 200 to 399 passes, and so does a redirection to another host, which is not followed. */
export async function probeByHttp({ port, path, scheme, httpHeaders }: HttpGet, address: string, signal: AbortSignal): Promise<ProbeAnswer> {
  const headers = headersOf(httpHeaders);
  let url = new URL(`${scheme.toLowerCase()}://${urlHost(address)}:${port}${path}`);
  for (let redirections = 0; ; redirections++) {
    const response = await get(url, headers, signal);
    const { statusCode: status = 0 } = response;
    const location = status >= 300 && status < 400 ? next(response, url) : undefined;
    if (location === undefined || location.hostname !== url.hostname) {
      const text = status >= 400 || status < 200 ? await beginningOf(response) : '';
      response.destroy();
      return { exitCode: status >= 200 && status < 400 ? 0 : 1, output: `GET ${url.href} was answered with status ${status}${text === '' ? '' : `: ${text}`}` };
    }
    response.destroy();
    if (redirections === MOST_REDIRECTIONS) return { exitCode: 1, output: `GET ${url.href} was redirected ${MOST_REDIRECTIONS} times` };
    url = location;
  }
}

function next({ headers: { location } }: IncomingMessage, url: URL): URL | undefined {
  return location === undefined || !URL.canParse(location, url.href) ? undefined : new URL(location, url);
}

function get(url: URL, headers: OutgoingHttpHeaders, signal: AbortSignal): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const options = { headers, signal, agent: false } as const;
    // Whatever certificate it shows: what is asked is how it is, not who.
    const request = url.protocol === 'https:' ? requestHttps(url, { ...options, rejectUnauthorized: false }, resolve) : requestHttp(url, options, resolve);
    request.on('error', reject);
    request.end();
  });
}

function headersOf(given: HttpGet['httpHeaders']): OutgoingHttpHeaders {
  const headers: OutgoingHttpHeaders = { 'user-agent': 'mooring-probe', accept: '*/*', connection: 'close' };
  for (const [key, all] of Map.groupBy(given, ({ name }) => name.toLowerCase())) {
    const values = all.map(({ value }) => value);
    headers[key] = values.length === 1 ? (values[0] ?? '') : values;
  }
  return headers;
}

/** On one line, as it goes into messages. */
async function beginningOf(response: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  let room = MAX_OUTPUT / 4;
  for await (const part of response as AsyncIterable<Buffer>) {
    parts.push(part.subarray(0, room));
    room -= part.length;
    if (room <= 0) break;
  }
  return Buffer.concat(parts).toString('utf8').replaceAll(/\s+/g, ' ').trim();
}
