import { constants } from 'node:os';
import { errnoOf, MooringError } from '../lib/errors.ts';
import type { Watch } from './native.ts';

/** One message to rtnetlink(7), or to netfilter's netlink. */
export interface NetlinkRequest {
  /** What it does to which object, for the error: `create bridge mooring0`. */
  readonly what: string;
  /** With its header; the sequence number is filled in. */
  readonly message: Buffer;
  /** Sent to the namespace of the call, not to our own. */
  readonly inside?: boolean;
  /** To NETLINK_NETFILTER in place of NETLINK_ROUTE. */
  readonly netfilter?: boolean;
  /** The errno that is as good as success, such as `EEXIST`. */
  readonly tolerate?: keyof typeof constants.errno;
}

/** What the kernel said to a request. */
export interface NetlinkReply {
  /** Set where it failed in the tolerated way. */
  readonly errno?: string;
  /** The messages that answer it, each with its header. */
  readonly data: Buffer;
}

/** Something changed on an interface, be it a link, an address or a route. A hint. */
export interface ChangedLink {
  /** Id of its network namespace as the links into it have it (IFLA_LINK_NETNSID); −1 for our own. */
  readonly nsid: number;
  /** 0: not that of one interface alone. −1: messages were lost, so anything may have changed. */
  readonly index: number;
}

export interface NetworkNative {
  /** A new network namespace, as a descriptor that the caller closes. It lives for as long as that or anything in it does. */
  createNetworkNamespace(): Promise<number>;
  /**
   * Carries out requests in order, in our own network namespace or in that of descriptor `namespace` (−1 for none). Stops at the first
   * failure and rejects with a MooringError that names it; what was done before stays done.
   */
  netlink(namespace: number, requests: readonly NetlinkRequest[]): Promise<NetlinkReply[]>;
  /** Hears of changed interfaces here and in every namespace that an interface here leads to, and (`rules`) of packet filter rules that others changed. */
  watchNetwork(onChange: (links: readonly ChangedLink[], rules: boolean) => void): Watch;
  /** Runs nft(8) commands as one transaction, all or none. Gives what they list, as JSON (libnftables-json(5)). */
  runNft(commands: string): Promise<string>;
  /** The same, in nft's own words and without what counts. */
  runNftForText(commands: string): Promise<string>;
}

/** The addon's part in it. */
export interface NetworkAddon {
  createNetworkNamespace(): Promise<number>;
  netlink(
    namespace: number,
    requests: readonly { readonly message: Buffer; readonly inside: boolean; readonly netfilter: boolean; readonly tolerate: number }[],
  ): Promise<{ readonly errno?: string; readonly detail?: string; readonly data: Buffer }[]>;
  watchNetwork(onChange: (links: readonly ChangedLink[], rules: boolean) => void): number;
  closeWatch(watch: number): void;
  runNft(commands: string, text: boolean): Promise<string>;
}

export function networkNative(addon: NetworkAddon): NetworkNative {
  return {
    createNetworkNamespace: () =>
      addon.createNetworkNamespace().catch((cause: unknown) => {
        throw new MooringError('Unavailable', 'make a network namespace', { cause });
      }),

    async netlink(namespace, requests) {
      const sent = requests.map(({ message, inside = false, netfilter = false, tolerate }) => ({ message, inside, netfilter, tolerate: tolerate === undefined ? 0 : constants.errno[tolerate] }));
      const replies = await addon.netlink(namespace, sent).catch((cause: unknown) => {
        throw new MooringError('Unavailable', requests.map(({ what }) => what).join(', '), { cause });
      });
      const last = replies.at(-1);
      const request = requests[replies.length - 1];
      if (last?.errno !== undefined && request !== undefined && request.tolerate !== last.errno) {
        const cause = Object.assign(new Error(last.detail === undefined ? last.errno : `${last.errno}: ${last.detail}`), { code: last.errno });
        throw new MooringError('Unavailable', request.what, { cause });
      }
      return replies;
    },

    watchNetwork(onChange) {
      const watch = addon.watchNetwork(onChange);
      return { close: () => addon.closeWatch(watch) };
    },

    runNft: (commands) => addon.runNft(commands, false).catch((cause: unknown) => refuseNft(commands, cause)),
    runNftForText: (commands) => addon.runNft(commands, true).catch((cause: unknown) => refuseNft(commands, cause)),
  };
}

function refuseNft(commands: string, cause: unknown): never {
  if (errnoOf(cause) === 'ENOPKG') throw new MooringError('Unsupported', 'set packet filter rules', { cause, fix: 'install libnftables (Debian: apt-get install libnftables1)' });
  throw new MooringError('Unavailable', `change packet filter rules with "${commands.length > 300 ? `${commands.slice(0, 300)}…` : commands}"`, { cause });
}
