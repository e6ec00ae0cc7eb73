import { mountPoint, type PlacedMount } from './placed-mount.ts';
import { bad } from './refusal.ts';

/** One of HostConfig.Tmpfs: options as mount(8) takes them, over `noexec,nosuid,nodev`. */
export function tmpfsMount(target: string, text: string): PlacedMount {
  const mountPath = mountPoint(target);
  let readOnly = false;
  const tmpfs: { size?: string; mode?: string } = {};
  const options: string[] = [];
  for (const option of text.split(',').filter(Boolean)) {
    const [key = '', value] = option.split('=');
    if (key === 'size' && value !== undefined) tmpfs.size = sizeOf(value, option);
    else if (key === 'mode' && value !== undefined) tmpfs.mode = value.replace(/^0(?=[0-7]{3,4}$)/, '');
    else if (option === 'ro' || option === 'rw') readOnly = option === 'ro';
    else options.push(option);
  }
  return { mount: { mountPath, readOnly, tmpfs: { ...tmpfs, options: withNoexec(options) } } };
}

/** As dockerd mounts them. */
export function withNoexec(options: readonly string[]): string[] {
  return options.includes('exec') || options.includes('noexec') ? [...options] : ['noexec', ...options];
}

/** The kernel's letters are powers of 1024. */
function sizeOf(text: string, option: string): string {
  const match = /^([0-9]+)([kmg]?)$/i.exec(text);
  if (match === null) throw bad(`invalid tmpfs option "${option}"`);
  const unit = { '': '', k: 'Ki', m: 'Mi', g: 'Gi' }[match[2]?.toLowerCase() ?? ''] ?? '';
  return `${match[1] ?? ''}${unit}`;
}
