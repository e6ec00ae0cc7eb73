import type { ApiServices } from '../v1/services.ts';

/** What the room remembers for as long as a daemon's services are there: made at its first use. */
export function kept<T extends object>(make: (services: ApiServices) => T): (services: ApiServices) => T {
  const made = new WeakMap<ApiServices, T>();
  return (services) => {
    const known = made.get(services);
    if (known !== undefined) return known;
    const fresh = make(services);
    made.set(services, fresh);
    return fresh;
  };
}
