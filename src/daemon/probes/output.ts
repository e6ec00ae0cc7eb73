/** What is kept of what a probe hears, in bytes. */
export const MAX_OUTPUT = 4_096;

/** An address as URLs have it. */
export function urlHost(address: string): string {
  return address.includes(':') ? `[${address}]` : address;
}
