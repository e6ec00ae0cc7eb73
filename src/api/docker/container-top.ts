import { execFile } from 'node:child_process';
import { MooringError } from '../../lib/errors.ts';
import { sendJson } from '../reply.ts';
import { type DockerCall, param } from './call.ts';
import { attributesOf } from './container-events.ts';
import { findContainer } from './container-lookup.ts';
import { requireRunning } from './container-state.ts';
import type { DockerServices } from './docker-services.ts';
import { DockerError } from './error-reply.ts';

const TIMEOUT_MS = 10_000;
const MAX_OUTPUT = 4 * 1024 * 1024;

/** `GET /containers/{id}/top`: what the node's ps(1) tells of the container's processes. */
export async function top(call: DockerCall, services: DockerServices): Promise<void> {
  const { id, view } = findContainer(services, param(call, 'id'));
  requireRunning(id, view, 'top');
  const words = (call.query.text('ps_args') ?? '-ef').split(/\s+/).filter(Boolean);
  const pids = new Set(await services.insight.pids(id));
  const { titles, processes } = parsePs(await ps(words, [...pids]), pids);
  services.told.container('top', id, attributesOf(view));
  sendJson(call, { Titles: titles, Processes: processes });
}

/** All processes of the node, of which the caller knows its own: which options go with a choice of processes differs between versions of ps. */
function ps(words: readonly string[], pids: readonly number[]): Promise<string> {
  return new Promise((resolve, reject) => {
    if (pids.length === 0) return reject(new DockerError(409, 'the container has no processes any more'));
    execFile('ps', words, { timeout: TIMEOUT_MS, maxBuffer: MAX_OUTPUT, env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C' } }, (error, stdout, stderr) => {
      if (error === null) resolve(stdout);
      else if (error.code === 'ENOENT') reject(new MooringError('Unsupported', 'the node has no ps(1)', { fix: 'install procps' }));
      else reject(new DockerError(500, `Error running ps: ${stderr.trim() || error.message}`));
    });
  });
}

/** Pure. The last column takes the rest of a line. Throws 500 where no column is PID. */
export function parsePs(text: string, pids: ReadonlySet<number>): { readonly titles: string[]; readonly processes: string[][] } {
  const [head = '', ...lines] = text.split('\n');
  const titles = head.split(/\s+/).filter(Boolean);
  const column = titles.indexOf('PID');
  if (column < 0) throw new DockerError(500, "Couldn't find PID field in ps output");
  const processes = lines.flatMap((line) => {
    const fields = line.split(/\s+/).filter(Boolean);
    if (!pids.has(Number(fields[column]))) return [];
    return [fields.length > titles.length ? [...fields.slice(0, titles.length - 1), fields.slice(titles.length - 1).join(' ')] : fields];
  });
  return { titles, processes };
}
