import { Agent, request } from 'node:http';

/** How long an answer, or an event, may take. */
const PATIENCE_MS = 60_000;

/** A client of the Docker Engine API on a unix socket, one connection at a time, kept. */
export class EngineApi implements Disposable {
  readonly #socketPath: string;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 1 });

  constructor(socketPath: string) {
    this.#socketPath = socketPath;
  }

  /** The answer's body; throws with the engine's words for a status from 400 on. */
  call(method: 'GET' | 'POST' | 'DELETE', path: string, body?: unknown): Promise<string> {
    return new Promise((resolve, reject) => {
      const text = body === undefined ? undefined : JSON.stringify(body);
      const headers = text === undefined ? {} : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) };
      const asked = request({ socketPath: this.#socketPath, agent: this.#agent, method, path: `/v1.41${path}`, headers, signal: AbortSignal.timeout(PATIENCE_MS) }, (response) => {
        let answer = '';
        response.setEncoding('utf8').on('data', (chunk: string) => (answer += chunk));
        response.on('end', () => {
          const status = response.statusCode ?? 0;
          if (status < 400) resolve(answer);
          else reject(new Error(`${method} ${path}: ${status}: ${answer.trim()}`));
        });
        response.on('error', reject);
      });
      asked.on('error', reject);
      asked.end(text);
    });
  }

  [Symbol.dispose](): void {
    this.#agent.destroy();
  }
}

/** Follows `/events` on a connection of its own and counts those of one action. */
export class EventFollower implements AsyncDisposable {
  #seen = 0;
  #left = '';
  #waiting: { readonly count: number; readonly resolve: () => void } | undefined;
  readonly #close: () => void;

  private constructor(close: () => void) {
    this.#close = close;
  }

  static open(socketPath: string, action: string): Promise<EventFollower> {
    return new Promise((resolve, reject) => {
      const filters = encodeURIComponent(JSON.stringify({ type: ['container'], event: [action] }));
      const asked = request({ socketPath, agent: false, path: `/v1.41/events?filters=${filters}` }, (response) => {
        const follower = new EventFollower(() => asked.destroy());
        response.setEncoding('utf8').on('data', (chunk: string) => follower.#heard(chunk));
        response.on('error', () => {}); // of its own closing
        resolve(follower);
      });
      asked.once('error', reject);
      asked.end();
    });
  }

  /** Settles once so many more have come; rejects when that takes too long. */
  async next(count: number): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const timer = setTimeout(() => reject(new Error(`${count} events did not come within ${PATIENCE_MS / 1000} s`)), PATIENCE_MS);
    this.#waiting = { count: this.#seen + count, resolve };
    this.#check();
    try {
      await promise;
    } finally {
      clearTimeout(timer);
    }
  }

  #heard(chunk: string): void {
    const lines = (this.#left + chunk).split('\n');
    this.#left = lines.pop() ?? '';
    this.#seen += lines.filter((line) => line.trim() !== '').length;
    this.#check();
  }

  #check(): void {
    if (this.#waiting === undefined || this.#seen < this.#waiting.count) return;
    this.#waiting.resolve();
    this.#waiting = undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#close();
  }
}
