import { messageOf } from '../../lib/errors.ts';
import type { ListedContainer } from './container-rows.ts';
import { DockerApiError, type DockerClient, pathFor } from './docker-client.ts';
import { filtersOf, queryOf } from './filters.ts';
import type { StatsSample, Usage } from './stats-rows.ts';

interface ContainerEvent {
  readonly id: string;
  readonly Action: string;
}

/** Follows what containers take: of these, or of all that run, those that are started meanwhile among them. */
export class UsageWatch implements Disposable {
  readonly #client: DockerClient;
  readonly #onChange: () => void;
  readonly #end = new AbortController();
  readonly #usages = new Map<string, Usage>();
  #failure: unknown;

  constructor(client: DockerClient, onChange: () => void) {
    this.#client = client;
    this.#onChange = onChange;
  }

  get usages(): readonly Usage[] {
    return [...this.#usages.values()];
  }

  /** Why nothing comes any more, if that is so. */
  get failure(): unknown {
    return this.#failure;
  }

  async followAll(): Promise<void> {
    this.#keep(this.#followStarts());
    for (const { Id, Names } of await this.#client.get<ListedContainer[]>('/containers/json')) this.follow(Id, (Names[0] ?? Id).replace(/^\//, ''));
  }

  follow(id: string, name: string): void {
    if (this.#usages.has(id)) return;
    this.#usages.set(id, { id, name, sample: undefined });
    this.#keep(this.#followOne(id, name));
  }

  [Symbol.dispose](): void {
    this.#end.abort();
  }

  async #followOne(id: string, name: string): Promise<void> {
    try {
      for await (const sample of this.#client.objects<StatsSample>({ method: 'GET', path: pathFor('containers', id, 'stats', { stream: '1' }), signal: this.#end.signal })) {
        this.#usages.set(id, { id, name, sample });
        this.#onChange();
      }
    } catch (error) {
      // It has gone meanwhile.
      if (!(error instanceof DockerApiError) || error.status !== 404) throw error;
    } finally {
      this.#usages.delete(id);
      this.#onChange();
    }
  }

  async #followStarts(): Promise<void> {
    const path = `/events${queryOf({ filters: filtersOf(['type=container', 'event=start']) })}`;
    for await (const event of this.#client.objects<ContainerEvent>({ method: 'GET', path, signal: this.#end.signal })) {
      const { Name } = await this.#client.get<{ Name: string }>(pathFor('containers', event.id, 'json'), this.#end.signal);
      this.follow(event.id, Name.replace(/^\//, ''));
    }
  }

  #keep(following: Promise<void>): void {
    following.catch((error: unknown) => {
      if (this.#end.signal.aborted) return;
      this.#failure ??= error instanceof Error ? error : new Error(messageOf(error));
      this.#onChange();
    });
  }
}
