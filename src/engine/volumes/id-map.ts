/** One range of an id-mapped mount: ids from `containerID` on, on disk, are seen as those from `hostID` on (OCI runtime spec, config.md, "uidMappings"). */
export interface IdMapping {
  readonly containerID: number;
  readonly hostID: number;
  readonly size: number;
}

/** Ids are 0 to 2³² − 2: the last one means "no change" (chown(2)). */
const IDS = 2 ** 32 - 1;

/** What lets `a` on disk be seen as `b`, `b` as `a`, and every other id as itself. Empty where that is nothing. */
export function swapped(a: number, b: number): IdMapping[] {
  if (a === b) return [];
  const [low, high] = a < b ? [a, b] : [b, a];
  return [
    { containerID: 0, hostID: 0, size: low },
    { containerID: low, hostID: high, size: 1 },
    { containerID: low + 1, hostID: low + 1, size: high - low - 1 },
    { containerID: high, hostID: low, size: 1 },
    { containerID: high + 1, hostID: high + 1, size: IDS - high - 1 },
  ].filter(({ size }) => size > 0);
}
