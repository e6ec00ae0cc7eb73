import { z } from 'zod';
import { quoted } from '../lib/text.ts';
import { checkedBy, type Finding, foundBy } from './check.ts';
import { grammarString } from './grammar.ts';
import { invalid } from './invalid.ts';
import { repeated } from './repeated.ts';

const IPC = ['msgmax', 'msgmnb', 'msgmni', 'sem', 'shmall', 'shmmax', 'shmmni', 'shm_rmid_forced'];
const PART = '[A-Za-z0-9_:@-]+';
/** Settings that a namespace keeps apart, as sysctl(8) writes them: dots and slashes stand for each other. Without those that have a field of their own. */
const NAMESPACED = new RegExp(`^(kernel[./](${IPC.join('|')})|fs[./]mqueue[./]${PART}|net([./]${PART})+)$`);
const NAME_MAX_LENGTH = 253;
// eslint-disable-next-line no-control-regex -- control characters are what it keeps out
const VALUE = { pattern: /^[^\x00-\x08\x0a-\x1f\x7f]+$/, maxLength: 4096, what: 'a value of a kernel setting: it is empty, or holds control characters' };

/** With dots as `sysctl -a` prints it; where the first divider is a slash, the dots are those of an interface's name. */
function canonicalName(name: string): string {
  if (NAMESPACED.test(name)) return /^[a-z]+\//.test(name) ? name.replace(/[./]/g, (divider) => (divider === '/' ? '.' : '/')) : name;
  if (/^kernel[./](hostname|domainname)$/.test(name)) throw invalid(`${quoted(name)} has a field of its own`, `set ${name.slice(7)}`);
  throw invalid(`${quoted(name)} belongs to the whole node: no namespace keeps it apart for one container`, 'set it on the node; a container has net.*, fs.mqueue.* and the kernel settings of System V IPC of its own');
}

export const sysctlsSchema = z
  .array(
    z.strictObject({
      name: z
        .string()
        .max(NAME_MAX_LENGTH)
        .check(checkedBy(canonicalName))
        .meta({ pattern: NAMESPACED.source, description: 'The setting: `net.core.somaxconn`, `net/ipv4/conf/eth0.1/rp_filter`. Only what a namespace of the container keeps apart: `net.*`, `fs.mqueue.*` and `kernel.{msg*,sem,shm*}`.' }),
      value: grammarString(VALUE).meta({ description: 'Its value. Put numbers in quotes.' }),
    }),
  )
  .max(256)
  .check(foundBy((sysctls) => repeated(sysctls, ({ name }) => name, 'name')))
  .meta({ description: 'Kernel settings of the container, as `sysctl -w` sets them.', 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['name'] });

/** Settings of a namespace that the container does not have for itself. */
export function foreignSysctls(sysctls: z.output<typeof sysctlsSchema>, shared: { readonly network: string | undefined; readonly ipc: string | undefined }): Finding[] {
  return sysctls.flatMap(({ name }, index) => {
    const owner = name.startsWith('net') ? shared.network : shared.ipc;
    return owner === undefined ? [] : [{ path: ['sysctls', index, 'name'], message: `${name} is ${owner}'s, which this container shares`, fix: 'set it there, or give the container a namespace of its own' }];
  });
}
