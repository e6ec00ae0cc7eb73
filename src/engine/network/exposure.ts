import type { HostPolicy } from './host-policy.ts';
import { describePort, type PublishedPort } from './published-port.ts';

/** As much of it as people read. */
const LONGEST = 2048;

/** Who reaches published ports from other machines, for people; undefined where there are none. */
export function exposureOf(ports: readonly PublishedPort[], { chains, unread }: HostPolicy): string | undefined {
  const listed = (judged: boolean): string => ports.filter((port) => port.judged === judged).map(describePort).join(', ');
  const [judged, always] = [listed(true), listed(false)];
  const rules = chains.length === 0 ? 'whom the node lets in, and it has no input rules' : `whom the node's input rules let in (${chains.join('; ')})`;
  const strict = unread.length === 0 ? '' : `; taken strictly, since they can't be applied here: ${unread.join('; ')}`;
  const parts = [...(judged === '' ? [] : [`${judged} to ${rules}${strict}`]), ...(always === '' ? [] : [`${always} to everybody, past the node's input rules`])];
  return parts.length === 0 ? undefined : parts.join('. ').slice(0, LONGEST);
}
