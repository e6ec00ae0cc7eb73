import { MooringError } from '../../../lib/errors.ts';
import type { CreateBody } from './create-body.ts';
import type { CreateContext } from './create-context.ts';
import { bad } from './refusal.ts';
import type { SpecInput } from './spec-input.ts';

/** What the container shares with the node and with other containers, and which devices of the node it has. */
export function sharingOf(body: CreateBody, context: CreateContext): SpecInput {
  const { PidMode: pid, IpcMode: ipc, UTSMode: uts, CgroupnsMode: cgroup, Devices: devices, DeviceCgroupRules: rules } = body.HostConfig;
  if (uts === 'host' && body.Hostname !== '') throw bad('conflicting options: hostname and the UTS mode');
  return {
    namespaces: {
      pid: shared(pid, PID_MODES, 'PID', context),
      ipc: shared(ipc, IPC_MODES, 'IPC', context),
      uts: known(uts, UTS_MODES, 'UTS'),
      cgroup: known(cgroup, CGROUP_MODES, 'CGROUP'),
    },
    devices: devices.map(({ PathOnHost: path, PathInContainer: containerPath, CgroupPermissions: permissions }) => ({
      path,
      ...(containerPath !== '' && containerPath !== path && { containerPath }),
      ...(permissions !== '' && { permissions }),
    })),
    deviceCgroupRules: rules.map((rule) => (RULE.test(rule) ? rule : refusedRule(rule))),
  };
}

const PID_MODES = { '': 'Private', private: 'Private', host: 'Host' } as const;
const IPC_MODES = { '': 'Private', private: 'Private', none: 'None', shareable: 'Shareable', host: 'Host' } as const;
const UTS_MODES = { '': 'Private', private: 'Private', host: 'Host' } as const;
const CGROUP_MODES = { '': 'Private', private: 'Private', host: 'Host' } as const;
/** dockerd's own. */
const RULE = /^([acb]) ([0-9]+|\*):([0-9]+|\*) ([rwm]{1,3})$/;

function shared(mode: string, modes: Readonly<Record<string, string>>, what: string, { container }: CreateContext): string {
  if (!mode.startsWith('container:')) return known(mode, modes, what);
  const reference = mode.slice('container:'.length);
  const other = container(reference);
  if (other === undefined) throw new MooringError('NotFound', `No such container: ${reference}`);
  return `Container:${other.name}`;
}

function known<Mode extends string>(mode: string, modes: Readonly<Record<string, Mode>>, what: string): Mode {
  const found = Object.hasOwn(modes, mode) ? modes[mode] : undefined;
  if (found === undefined) throw bad(`invalid ${what} mode: ${mode}`);
  return found;
}

function refusedRule(rule: string): never {
  throw bad(`invalid device cgroup rule format: '${rule}'`);
}
