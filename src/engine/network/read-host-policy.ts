import { errnoOf } from '../../lib/errors.ts';
import type { NetworkNative } from '../../native/network.ts';
import { type ForeignTable, type HostPolicy, hostPolicyOf } from './host-policy.ts';

interface Listing {
  readonly nftables: readonly { readonly chain?: { readonly family: string; readonly table: string; readonly hook?: string; readonly type?: string } }[];
}

/** The node's input rules as they are now, those of iptables included where that speaks nftables. Tables of Mooring's instances are none of them. */
export async function readHostPolicy(native: NetworkNative): Promise<HostPolicy> {
  const { nftables } = JSON.parse(await native.runNft('list chains')) as Listing;
  const found = nftables.flatMap(({ chain }) => (chain?.hook === 'input' && chain.type === 'filter' && isFamily(chain.family) && !chain.table.startsWith('mooring-') ? [{ family: chain.family, name: chain.table }] : []));
  const distinct = found.filter((each, at) => found.findIndex(({ family, name }) => family === each.family && name === each.name) === at);
  const tables = await Promise.all(
    distinct.map(async ({ family, name }): Promise<ForeignTable[]> => {
      try {
        return [{ family, name, text: await native.runNftForText(`list table ${family} ${name}`) }];
      } catch (error) {
        if (error instanceof Error && errnoOf(error.cause) === 'ENOENT') return []; // gone meanwhile
        throw error;
      }
    }),
  );
  return hostPolicyOf(tables.flat());
}

function isFamily(family: string): family is ForeignTable['family'] {
  return family === 'ip' || family === 'ip6' || family === 'inet';
}
