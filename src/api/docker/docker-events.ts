/** `SystemEventsResponse` of the API. */
export interface DockerEvent {
  readonly status?: string;
  readonly id?: string;
  readonly from?: string;
  readonly Type: 'container' | 'image' | 'network' | 'volume' | 'builder' | 'daemon';
  readonly Action: string;
  readonly Actor: { readonly ID: string; readonly Attributes: Readonly<Record<string, string>> };
  readonly scope: 'local';
  /** Seconds since the epoch. */
  readonly time: number;
  readonly timeNano: number;
}

/** As many as the engine remembers for who asks for the past. */
const REMEMBERED = 256;
/** The least by which two times differ: what a number of this size can tell apart. Nanoseconds. */
const TICK = 1024;

/** What happened, told to whoever listens, and remembered for a while. */
export class DockerEvents {
  readonly #listeners = new Set<(event: DockerEvent) => void>();
  #past: DockerEvent[] = [];
  #last = 0;

  /** How many listen. */
  get listeners(): number {
    return this.#listeners.size;
  }

  /** What is remembered, oldest first. */
  past(): readonly DockerEvent[] {
    return this.#past;
  }

  /** Returns the function that unsubscribes. */
  subscribe(listener: (event: DockerEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** `attributes` of a container: its labels, `image`, `name`, and of an end `exitCode`. */
  container(action: string, id: string, attributes: Readonly<Record<string, string>>): void {
    this.#tell('container', action, id, attributes, { status: action, id, ...(attributes['image'] !== undefined && { from: attributes['image'] }) });
  }

  /** `object` is what was acted on, by the ID or by a name. */
  image(action: string, id: string, object: string, attributes: Readonly<Record<string, string>> = {}): void {
    const name = object === id ? id : object;
    this.#tell('image', action, action === 'pull' || action === 'push' ? name : id, { name, ...attributes }, { status: action, id: action === 'pull' || action === 'push' ? name : id });
  }

  network(action: string, id: string, attributes: Readonly<Record<string, string>>): void {
    this.#tell('network', action, id, attributes);
  }

  volume(action: string, name: string, attributes: Readonly<Record<string, string>>): void {
    this.#tell('volume', action, name, attributes);
  }

  prune(type: 'container' | 'image' | 'network' | 'volume' | 'builder', bytes: number): void {
    this.#tell(type, 'prune', '', { reclaimed: String(bytes) });
  }

  #tell(Type: DockerEvent['Type'], Action: string, ID: string, Attributes: Readonly<Record<string, string>>, legacy: Pick<DockerEvent, 'status' | 'id' | 'from'> = {}): void {
    // Clients go by the order of the times, also within one millisecond.
    this.#last = Math.max(this.#last + TICK, Date.now() * 1_000_000);
    const event: DockerEvent = { ...legacy, Type, Action, Actor: { ID, Attributes }, scope: 'local', time: Math.floor(this.#last / 1e9), timeNano: this.#last };
    this.#past = [...this.#past.slice(1 - REMEMBERED), event];
    for (const listener of this.#listeners) listener(event);
  }
}
