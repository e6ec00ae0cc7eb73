import { closeSync } from 'node:fs';
import type { NetworkNative } from '../../native/network.ts';
import { addressText } from '../../spec/address.ts';
import { DEFAULT_NETWORK_NAME } from '../../spec/container-network.ts';
import type { NetworkNames } from '../names/endpoint.ts';
import type { Database } from '../store/database.ts';
import type { NetworkRecords } from '../store/network-records.ts';
import { MooringError } from '../../lib/errors.ts';
import { connect } from './container-link.ts';
import { connectionsOf } from './connections.ts';
import { endpointOf, guardElements } from './endpoint.ts';
import { writeNameFiles } from './name-files.ts';
import { namespaceLink } from './namespace-link.ts';
import type { NetworkSites } from './network-sites.ts';
import { portName } from './network-names.ts';

export interface LentNetworksOptions {
  readonly native: NetworkNative;
  readonly database: Database;
  readonly records: NetworkRecords;
  readonly sites: NetworkSites;
  readonly folder: string;
  readonly names: NetworkNames | undefined;
}

/** A place on the default network for what no record knows, such as a step of a build. */
export class LentNetworks {
  readonly #options: LentNetworksOptions;
  #lent = 0;

  constructor(options: LentNetworksOptions) {
    this.#options = options;
  }

  isUsed(network: string): boolean {
    return this.#lent > 0 && network === DEFAULT_NETWORK_NAME;
  }

  /** A namespace by its path, with an address that is given back when it is disposed of. Writes name files into the bundle. */
  async lend(id: string, bundle: string, hostname: string): Promise<AsyncDisposable & { readonly path: string }> {
    const { native, sites, names, folder } = this.#options;
    await using taken = new AsyncDisposableStack();
    this.#lent++;
    taken.defer(async () => {
      this.#lent--;
      await sites.lowerUnused(DEFAULT_NETWORK_NAME);
    });
    await sites.nodes.prepareDefault();
    await sites.raise([DEFAULT_NETWORK_NAME]);
    const node = sites.nodes.get(DEFAULT_NETWORK_NAME);
    if (!node) throw new MooringError('Internal', 'there is no default network');
    const { v4: side4, v6: side6 } = node.layout;
    const v4 = this.#take(4, side4.range, taken);
    const v6 = side6 && this.#take(6, side6.range, taken);
    const endpoint = endpointOf({ name: DEFAULT_NETWORK_NAME, aliases: [] }, node.layout, { slot: 0, port: portName(), v4, v6 });
    const connections = connectionsOf({}, [endpoint], (network) => sites.nodes.get(network));
    const namespace = await native.createNetworkNamespace();
    taken.defer(() => closeSync(namespace));
    await connect(native, namespace, connections);
    const owner = `lent ${id}`;
    taken.defer(() => sites.firewall.withdraw(owner));
    await sites.firewall.publish(owner, connections.flatMap(({ port }) => guardElements(port, endpoint)));
    const nameServer = names?.serves(DEFAULT_NETWORK_NAME) === true ? addressText(node.layout.v4.gateway) : undefined;
    await writeNameFiles(bundle, { hostname, addresses: [endpoint], network: { dns: { servers: [], searches: [], options: [] }, extraHosts: [] }, nameServer });
    const link = taken.use(await namespaceLink(folder, id, namespace));
    const kept = taken.move();
    return { path: link.path, [Symbol.asyncDispose]: () => kept.disposeAsync() };
  }

  #take(family: 4 | 6, range: Parameters<NetworkRecords['lend']>[2], taken: AsyncDisposableStack): bigint {
    const { database, records } = this.#options;
    const host = database.transaction(() => records.lend(DEFAULT_NETWORK_NAME, family, range, Date.now()));
    taken.defer(() => records.takeBack(DEFAULT_NETWORK_NAME, family, host, Date.now()));
    return host;
  }
}
