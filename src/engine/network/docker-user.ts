import { errnoOf } from '../../lib/errors.ts';
import type { NetworkNative } from '../../native/network.ts';

/**
 * Docker sets the policy of iptables' FORWARD chain to DROP, which no accept of another table overrides: what we forward must be let through in the
 * chain that Docker leaves to others. Where that chain is not there, nothing is done.
 */
const FAMILIES = ['ip', 'ip6'] as const;
type Family = (typeof FAMILIES)[number];

interface Listing {
  readonly nftables: readonly { readonly rule?: { readonly handle: number; readonly expr: readonly { readonly match?: { readonly left: { readonly meta?: { readonly key: string } }; readonly right: unknown } }[] } }[];
}

/** The families in which a chain of Docker's stands in the way of the bridge. */
export async function obstructions(native: NetworkNative, bridge: string): Promise<Family[]> {
  const found = await Promise.all(FAMILIES.map(async (family) => ({ family, handles: await ourRules(native, family, bridge) })));
  return found.filter(({ handles }) => handles !== undefined && handles.length !== 2).map(({ family }) => family);
}

/** Lets the bridge's packets through where they are not let through yet. */
export async function openDockerUser(native: NetworkNative, bridge: string): Promise<void> {
  for (const family of await obstructions(native, bridge)) {
    await closeIn(native, family, bridge);
    const rule = (side: string): string => `insert rule ${family} filter DOCKER-USER ${side} "${bridge}" counter accept\n`;
    await native.runNft(rule('iifname') + rule('oifname'));
  }
}

/** Takes out again what `openDockerUser` put in. */
export async function closeDockerUser(native: NetworkNative, bridge: string): Promise<void> {
  for (const family of FAMILIES) await closeIn(native, family, bridge);
}

async function closeIn(native: NetworkNative, family: Family, bridge: string): Promise<void> {
  const handles = (await ourRules(native, family, bridge)) ?? [];
  if (handles.length > 0) await native.runNft(handles.map((handle) => `delete rule ${family} filter DOCKER-USER handle ${handle}\n`).join(''));
}

/** Undefined where there is no such chain. */
async function ourRules(native: NetworkNative, family: Family, bridge: string): Promise<number[] | undefined> {
  let text: string;
  try {
    text = await native.runNft(`list chain ${family} filter DOCKER-USER`);
  } catch (error) {
    if (error instanceof Error && errnoOf(error.cause) === 'ENOENT') return undefined;
    throw error;
  }
  return (JSON.parse(text) as Listing).nftables.flatMap(({ rule }) => {
    const match = rule?.expr[0]?.match;
    const ours = match?.right === bridge && (match.left.meta?.key === 'iifname' || match.left.meta?.key === 'oifname');
    return rule && ours ? [rule.handle] : [];
  });
}
