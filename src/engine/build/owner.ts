import { MooringError } from '../../lib/errors.ts';
import { parseUser } from '../../spec/user.ts';
import { resolveUser } from '../containers/process-user.ts';

/** What `--chown` means: names by the image's own `/etc/passwd` and `/etc/group`; a number without a group is the group's number, too. Throws `Invalid`. */
export async function ownerOf(text: string, layers: readonly string[]): Promise<{ readonly uid: number; readonly gid: number }> {
  if (text === '') throw new MooringError('Invalid', '--chown is empty once it is expanded');
  const { user, group } = parseUser(text);
  if ('id' in user && group === undefined) return { uid: user.id, gid: user.id };
  const { uid, gid } = await resolveUser(text, layers);
  return { uid, gid };
}
