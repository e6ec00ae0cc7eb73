import { posix } from 'node:path';
import type { CreateContext } from './create-context.ts';
import { mountPoint, namedVolume, type PlacedMount } from './placed-mount.ts';
import { bad } from './refusal.ts';

/** One of HostConfig.Binds: `source:target[:options]`, the source a path of the node or the name of a volume. */
export function bindMount(text: string, context: CreateContext): PlacedMount {
  const [source = '', target = '', mode = '', ...more] = text.split(':');
  if (source === '' || target === '' || more.length > 0) throw bad(`invalid volume specification: '${text}'`);
  const mountPath = mountPoint(target, text);
  const options = optionsIn(mode, text);
  if (!source.startsWith('/')) {
    if (options.propagation !== undefined) throw bad(`invalid volume specification: '${text}': a volume has no propagation`);
    return namedVolume(source, mountPath, { readOnly: options.readOnly, noCopy: options.noCopy }, context);
  }
  return { mount: { mountPath, readOnly: options.readOnly, bind: { source: posix.resolve('/', source), createSource: true, ...propagated(options.propagation) } } };
}

type Propagation = 'None' | 'HostToContainer' | 'Bidirectional';

/** Docker's words; without the leading `r` they mean the same here, where everything below the source is mounted with it. */
export const PROPAGATIONS: Readonly<Record<string, Propagation>> = {
  private: 'None',
  rprivate: 'None',
  slave: 'HostToContainer',
  rslave: 'HostToContainer',
  shared: 'Bidirectional',
  rshared: 'Bidirectional',
};

export function propagated(propagation: Propagation | undefined): { propagation?: Propagation } {
  return propagation === undefined ? {} : { propagation };
}

/** What changes nothing here: no SELinux labels are given (`z`, `Z`), and there is no virtual machine between (`cached`, …). */
const WITHOUT_EFFECT = new Set(['rw', 'z', 'Z', 'cached', 'delegated', 'consistent']);

function optionsIn(mode: string, text: string): { readonly readOnly: boolean; readonly noCopy: boolean; readonly propagation: Propagation | undefined } {
  let readOnly = false;
  let noCopy = false;
  let propagation: Propagation | undefined;
  for (const option of mode.split(',').filter(Boolean)) {
    if (option === 'ro') readOnly = true;
    else if (option === 'nocopy') noCopy = true;
    else if (Object.hasOwn(PROPAGATIONS, option)) propagation = PROPAGATIONS[option];
    else if (!WITHOUT_EFFECT.has(option)) throw bad(`invalid volume specification: '${text}': invalid mode: ${mode}`);
  }
  return { readOnly, noCopy, propagation };
}
