import { randomBytes } from 'node:crypto';
import { capture } from '../process.ts';
import { watchdog } from '../watchdog.ts';

/** A node of its own in the network: a namespace with a loopback, and a host outside on a wire to it. What is measured in it is in nobody's way. */
export class NetworkPlace implements AsyncDisposable {
  readonly name = `bench-${randomBytes(3).toString('hex')}`;
  /** The node's address on the wire. */
  readonly address = '198.18.77.1';
  readonly outside = `${this.name}-out`;
  readonly #watchdog = watchdog('sleep 1; ip netns del "$1"; ip netns del "$2"', [this.name, this.outside]);

  static async make(): Promise<NetworkPlace> {
    const place = new NetworkPlace();
    const { name, outside, address } = place;
    await capture('sh', [
      '-ec',
      `ip netns add ${name}; ip netns add ${outside}
       ip -n ${name} link set lo up; ip -n ${outside} link set lo up
       ip -n ${name} link add wire type veth peer name wire netns ${outside}
       ip -n ${name} addr add ${address}/24 dev wire; ip -n ${name} link set wire up
       ip -n ${outside} addr add 198.18.77.2/24 dev wire; ip -n ${outside} link set wire up
       ip -n ${name} route add default via 198.18.77.2; ip -n ${outside} route add default via ${address}`,
    ]);
    return place;
  }

  /** The words that run a command in it, and leave it the mounts of the machine. */
  get entering(): readonly [string, ...string[]] {
    return inNamespace(this.name);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#watchdog.dismiss();
    for (const each of [this.name, this.outside]) await capture('ip', ['netns', 'del', each]);
  }
}

export function inNamespace(name: string): readonly [string, ...string[]] {
  return ['nsenter', `--net=/run/netns/${name}`, '--'];
}
