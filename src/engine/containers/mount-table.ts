/** One line of `/proc/<pid>/mountinfo` (proc_pid_mountinfo(5)). */
export interface MountEntry {
  /** What of the file system is mounted: `/` for the whole. */
  readonly root: string;
  readonly mountPoint: string;
  readonly options: readonly string[];
  readonly type: string;
  readonly superOptions: readonly string[];
}

/** In the order of mounting: of several on one point, the last is on top. */
export function parseMountTable(mountinfo: string): MountEntry[] {
  const entries: MountEntry[] = [];
  for (const line of mountinfo.split('\n')) {
    const [place, device] = line.split(' - '); // spaces within a field are escaped
    if (place === undefined || device === undefined) continue;
    const [, , , root = '', mountPoint = '', options = ''] = place.split(' ');
    const [type = '', , superOptions = ''] = device.split(' ');
    entries.push({ root: unescaped(root), mountPoint: unescaped(mountPoint), options: options.split(','), type, superOptions: superOptions.split(',') });
  }
  return entries;
}

/** Space, tab, newline and backslash stand as `\040` and so on. */
function unescaped(field: string): string {
  return field.includes('\\') ? field.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8))) : field;
}
