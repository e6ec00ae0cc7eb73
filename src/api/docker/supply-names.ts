import { createHash } from 'node:crypto';
import { DEFAULT_NETWORK_NAME } from '../../spec/container-network.ts';
import type { NetworkName, VolumeName } from '../../spec/name.ts';
import type { ApiServices } from '../v1/services.ts';
import { NAME_ANNOTATION } from './create/container-of.ts';

/** A network as Docker's clients know it. */
export interface DockerNetworkName {
  readonly name: string;
  readonly id: string;
}

/** By its name as the engine has it: `default`, or `<namespace>/<name>`; and `host` and `none`, which are no networks of the engine's. */
export function dockerNetworkName({ desired, info }: Pick<ApiServices, 'desired' | 'info'>, network: string): DockerNetworkName {
  const { instance } = info();
  const slash = network.indexOf('/');
  if (slash < 0) return { name: network === DEFAULT_NETWORK_NAME ? 'bridge' : network, id: idOf(`${instance}/network/${network}`) };
  const [namespace, name] = [network.slice(0, slash), network.slice(slash + 1)];
  const annotations = desired.getOf('Network', network as NetworkName)?.network.metadata.annotations;
  return { name: annotations?.[NAME_ANNOTATION] ?? (namespace === 'default' ? name : `${namespace}.${name}`), id: idOf(`${instance}/network/${network}`) };
}

/** By its name as the engine has it. */
export function dockerVolumeName({ desired }: Pick<ApiServices, 'desired'>, volume: string): string {
  const [namespace = '', name = ''] = volume.split('/');
  const annotations = desired.getOf('Volume', volume as VolumeName)?.volume.metadata.annotations;
  return annotations?.[NAME_ANNOTATION] ?? (namespace === 'default' ? name : `${namespace}.${name}`);
}

function idOf(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
