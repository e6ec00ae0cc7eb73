export interface ListedPort {
  readonly IP?: string;
  readonly PrivatePort: number;
  readonly PublicPort?: number;
  readonly Type: string;
}

interface Run {
  readonly key: string;
  readonly ip: string;
  readonly type: string;
  readonly isPublic: boolean;
  first: number;
  last: number;
}

/** `0.0.0.0:8080->80/tcp, 90/tcp`; ports in a row as one range, where the host's are the same. */
export function portsText(ports: readonly ListedPort[]): string {
  const order = (port: ListedPort): [number, string, number, string] => [port.PrivatePort, port.IP ?? '', port.PublicPort ?? 0, port.Type];
  const sorted = ports.toSorted((a, b) => compared(order(a), order(b)));
  const runs: Run[] = [];
  const others: string[] = [];
  for (const { IP = '', PrivatePort, PublicPort = 0, Type } of sorted) {
    if (IP !== '' && PublicPort !== PrivatePort) {
      others.push(`${address(IP)}:${PublicPort}->${PrivatePort}/${Type}`);
      continue;
    }
    const key = `${IP}/${Type}`;
    const run = runs.findLast((each) => each.key === key);
    if (run !== undefined && run.last + 1 === PrivatePort) run.last = PrivatePort;
    else if (run?.last !== PrivatePort) runs.push({ key, ip: IP, type: Type, isPublic: IP !== '', first: PrivatePort, last: PrivatePort });
  }
  const inRuns = runs.map(({ ip, type, isPublic, first, last }) => {
    const range = first === last ? String(first) : `${first}-${last}`;
    return isPublic ? `${address(ip)}:${range}->${range}/${type}` : `${range}/${type}`;
  });
  return [...others, ...inRuns].join(', ');
}

function address(ip: string): string {
  return ip.includes(':') ? `[${ip}]` : ip;
}

function compared(a: readonly (number | string)[], b: readonly (number | string)[]): number {
  const at = a.findIndex((part, index) => part !== b[index]);
  return at < 0 ? 0 : (a[at] ?? 0) < (b[at] ?? 0) ? -1 : 1;
}
