import { Option, type Command } from 'commander';
import { LIMIT_FLAGS, SIZE } from './limit-flags.ts';
import { repeated } from './repeated.ts';

/** Docker's flags of `run` and `create`, for both. */
export function addRunFlags(command: Command): Command {
  command.helpOption('--help', 'show this help'); // -h is the host name
  for (const [flags, description] of SINGLE) command.option(flags, description);
  for (const [flags, description] of LISTS) command.addOption(repeated(flags, `${description}; may be repeated`));
  for (const [flags, description] of OLD) command.addOption(repeated(flags, description).hideHelp());
  command.addOption(new Option('--pull <when>', 'fetch the image before').choices(['always', 'missing', 'never']).default('missing'));
  // Docker no longer does anything with it, either.
  return command.addOption(new Option('--disable-content-trust', 'nothing: kept for old scripts').hideHelp());
}

const SINGLE: readonly (readonly [flags: string, description: string])[] = [
  ['-i, --interactive', 'keep standard input open'],
  ['-t, --tty', 'give it a terminal'],
  ['--rm', 'remove the container, and its volumes without a name, once it has ended'],
  ['--name <name>', 'its name (default: two words)'],
  ['-h, --hostname <name>', 'its host name (default: its ID)'],
  ['--domainname <name>', 'its domain name'],
  ['-u, --user <user>', 'who to run as: uid, uid:gid, name or name:group'],
  ['-w, --workdir <path>', 'the folder to start in'],
  ['--entrypoint <program>', "instead of the image's; an empty one takes that away"],
  ['-P, --publish-all', 'publish every exposed port at one of the host that is free'],
  ...LIMIT_FLAGS,
  ['--memory-swappiness <percent>', 'how readily it is swapped out, 0 to 100'],
  ['--oom-kill-disable', 'let the kernel make it wait, not end it, when its memory is used up'],
  ['--oom-score-adj <number>', 'how soon the kernel ends it when memory is short, -1000 to 1000'],
  ['--shm-size <size>', `of /dev/shm, ${SIZE} (default: 64m)`],
  ['--restart <policy>', 'no, always, unless-stopped, on-failure or on-failure:COUNT'],
  ['--stop-signal <signal>', 'what ends it'],
  ['--stop-timeout <seconds>', 'how long it may take to end; -1 for ever'],
  ['--init', 'put a small first process before it that reaps orphans and passes signals on'],
  ['--privileged', 'all capabilities and devices, nothing hidden'],
  ['--read-only', 'its root file system is not to be written'],
  ['--cidfile <file>', 'write its ID there'],
  ['--platform <platform>', 'of an image for several, this one: linux/arm64'],
  ['-q, --quiet', 'do not show how the image is fetched'],
  ['--ip <address>', 'its IPv4 address'],
  ['--ip6 <address>', 'its IPv6 address'],
  ['--mac-address <address>', 'its MAC address'],
  ['--ipc <mode>', 'none, private, shareable, host or container:NAME'],
  ['--pid <mode>', 'host or container:NAME'],
  ['--uts <mode>', 'host'],
  ['--userns <mode>', 'host'],
  ['--cgroupns <mode>', 'host or private'],
  ['--cgroup-parent <path>', 'the cgroup that its own is made in'],
  ['--runtime <name>', 'the runtime'],
  ['--gpus <devices>', 'refused: give devices with --device'],
  ['--log-driver <driver>', 'how it is logged'],
  ['--volume-driver <driver>', 'of the volumes that are made'],
  ['--health-cmd <command>', 'how to see that it is well'],
  ['--health-interval <span>', 'how often: 30s'],
  ['--health-timeout <span>', 'how long that may take'],
  ['--health-retries <number>', 'failures in a row that count'],
  ['--health-start-period <span>', 'failures that soon do not count'],
  ['--health-start-interval <span>', 'how often in the beginning'],
  ['--no-healthcheck', "without the image's health check"],
];

const LISTS: readonly (readonly [flags: string, description: string])[] = [
  ['-e, --env <name=value>', "set a variable; NAME alone takes this command's"],
  ['--env-file <file>', 'variables, NAME=VALUE a line'],
  ['-p, --publish <port>', '[ADDRESS:][HOST PORT:]PORT[/udp], ports of the host that lead to it'],
  ['--expose <port>', 'a port that it has'],
  ['-v, --volume <volume>', 'SOURCE:/TARGET[:ro], a folder of the host or a volume; /TARGET alone: a volume without a name'],
  ['--mount <mount>', 'type=bind|volume|tmpfs,source=…,target=…[,readonly]'],
  ['--tmpfs <path>', '/PATH[:size=64m,mode=1777], in memory'],
  ['--volumes-from <container>', 'the mounts of another'],
  ['--device <device>', 'HOST PATH[:PATH][:rwm]'],
  ['--device-cgroup-rule <rule>', "a rule on devices: 'c 42:* rmw'"],
  ['--device-read-bps <rate>', '/dev/sda:1mb, the most bytes read a second'],
  ['--device-write-bps <rate>', '/dev/sda:1mb, the most bytes written a second'],
  ['--device-read-iops <rate>', '/dev/sda:1000, the most reads a second'],
  ['--device-write-iops <rate>', '/dev/sda:1000, the most writes a second'],
  ['--blkio-weight-device <weight>', '/dev/sda:500, its weight at this disk'],
  ['--network <network>', 'NAME, host, none, container:NAME, or name=NAME,alias=…,ip=…'],
  ['--network-alias <name>', 'a further name for it in the network'],
  ['--link <container>', 'NAME[:ALIAS], another that it knows by name'],
  ['--link-local-ip <address>', 'a further address'],
  ['--add-host <host>', 'NAME:ADDRESS in /etc/hosts'],
  ['--dns <address>', 'a name server'],
  ['--dns-search <domain>', 'a domain to look for names in'],
  ['--dns-option <option>', 'an option of resolv.conf(5)'],
  ['-l, --label <name=value>', 'a label'],
  ['--label-file <file>', 'labels, NAME=VALUE a line'],
  ['--annotation <name=value>', 'an annotation for the runtime'],
  ['-a, --attach <stream>', 'join stdin, stdout or stderr alone'],
  ['--cap-add <capability>', 'one more capability'],
  ['--cap-drop <capability>', 'one less; ALL for none'],
  ['--group-add <group>', 'one more group'],
  ['--security-opt <option>', 'seccomp=FILE|unconfined, apparmor=PROFILE, no-new-privileges, systempaths=unconfined'],
  ['--storage-opt <name=value>', 'an option of the storage'],
  ['--sysctl <name=value>', 'a kernel parameter of its own'],
  ['--ulimit <limit>', 'NAME=SOFT[:HARD]'],
  ['--log-opt <name=value>', 'how it is logged: max-size=10m'],
];

const OLD: readonly (readonly [flags: string, description: string])[] = [
  ['--net <network>', '--network'],
  ['--net-alias <name>', '--network-alias'],
  ['--dns-opt <option>', '--dns-option'],
];
