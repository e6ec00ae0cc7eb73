import type { FileContent } from '../../native/native.ts';
import type { InterfaceStats } from '../engine.ts';

/** What /proc/net/dev tells of the interfaces but the loopback (proc_pid_net): eight counters received, eight sent. */
export function interfaceStats(content: FileContent | undefined): InterfaceStats[] {
  if (!content || !('text' in content)) return [];
  return content.text.split('\n').flatMap((line) => {
    const match = /^\s*([^:\s]+):\s*(.*)$/.exec(line);
    if (!match || match[1] === 'lo') return [];
    const [receiveBytes = 0, receivePackets = 0, receiveErrors = 0, receiveDropped = 0, , , , , transmitBytes = 0, transmitPackets = 0, transmitErrors = 0, transmitDropped = 0] = (match[2] ?? '').split(/\s+/).map(Number);
    return [{ interface: match[1] ?? '', receiveBytes, receivePackets, receiveErrors, receiveDropped, transmitBytes, transmitPackets, transmitErrors, transmitDropped }];
  });
}
