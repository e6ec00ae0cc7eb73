import { MooringError } from '../../lib/errors.ts';
import type { LogLine } from '../engine.ts';
import type { EndedRun } from '../containers/transient.ts';
import { resolveUser } from '../containers/process-user.ts';
import { keepChanges } from '../images/keep-changes.ts';
import type { StoredLayer } from '../images/stored-image.ts';
import { layerFolders, topOf } from './build-session.ts';
import type { Instruction } from './instruction.ts';
import { OutputTail } from './output-tail.ts';
import { prepareMounts } from './run-mounts.ts';
import type { StageBuild, StepResult } from './stage-build.ts';
import { PROXY_ARGUMENTS } from './variables.ts';
import { jsonWords } from './words.ts';

interface RunFlags {
  readonly mounts: readonly string[];
  readonly network: 'Bridge' | 'Host' | 'None';
}

const NETWORKS: Readonly<Record<string, RunFlags['network'] | undefined>> = { none: 'None', host: 'Host' };

/** Where a here-document that is a script of its own is seen. */
const SCRIPTS = '/dev/heredocs';

/** RUN: a layer of what a process has changed. */
export async function runStep(stage: StageBuild, instruction: Instruction, id: number): Promise<StepResult> {
  const { session, config, layers } = stage;
  stage.requireOwnPlatform();
  await stage.sourcesOf(instruction);
  const release = await session.slots.acquire();
  try {
    const flags = readFlags(stage, instruction);
    const command = commandOf(stage, instruction);
    const folders = layerFolders(session.room, layers);
    const user = await resolveUser(config.user, folders);
    await using mounts = await prepareMounts(stage, instruction, flags.mounts, id);
    const declared = config.variables.arguments();
    const proxies = PROXY_ARGUMENTS.flatMap((name) => (config.variables.declared.has(name) ? [] : [[name, session.buildArguments.get(name)] as const])).filter((pair): pair is readonly [string, string] => pair[1] !== undefined);
    const env = [...proxies, ...declared].map(([name, value]) => `${name}=${value}`).concat(config.variables.entries());
    const visible = declared.map(([name, value]) => `${name}=${value}`);
    const text = `RUN ${visible.length === 0 ? '' : `|${visible.length} ${visible.join(' ')} `}${command.args.join(' ')}`;
    const key = ['RUN', command.args, command.scripts, visible, config.variables.entries(), config.user, config.workingDir, flags.network, mounts.key, session.hosts];
    const made = await stage.layer(key, text, async (): Promise<StoredLayer> => {
      const tail = new OutputTail();
      await using ended = await session.transients.run({
        layers: folders,
        args: command.args,
        env: [...env, ...mounts.env],
        workingDir: config.workingDir,
        user,
        network: flags.network,
        hostname: 'build',
        hosts: session.hosts,
        mounts: async (places) => mounts.make(places, command.scripts),
        onOutput: (line: LogLine) => {
          const written = line.bytes.toString('utf8');
          tail.add(written);
          session.report({ type: 'OUTPUT', id, stream: line.stream, text: written });
        },
        signal: session.signal,
      });
      requireSuccess(ended, instruction, tail);
      const upper = { folder: ended.upper, lower: folders, omitEmpty: [...ended.mountPoints, '/etc/hosts', '/etc/hostname', '/etc/resolv.conf'], ...(session.times.latest !== undefined && { clampTime: session.times.latest }) };
      return await keepChanges(session.room, { upper, parent: topOf(layers), consume: true, signal: session.signal }, session.held);
    });
    return { text, made };
  } finally {
    release();
  }
}

function readFlags({ session, expand }: StageBuild, { flags }: Instruction): RunFlags {
  let network = session.network;
  const mounts: string[] = [];
  for (const { name, value = '' } of flags) {
    if (name === 'mount') mounts.push(expand(value));
    else if (name === 'network') {
      if (value !== 'default' && NETWORKS[value] === undefined) throw new MooringError('Invalid', `--network=${value}: it is default, none or host`);
      network = NETWORKS[value] ?? session.network;
    } else if (name === 'security') {
      if (value !== 'sandbox') throw new MooringError('Unsupported', `--security=${value}: builds run their commands as confined as containers`, { fix: 'leave it out, and do what needs more rights in a privileged container' });
    } else throw new MooringError('Invalid', `RUN has no flag --${name}`, { fix: 'it has --mount, --network and --security' });
  }
  return { mounts, network };
}

interface Command {
  readonly args: readonly string[];
  /** Here-documents that are programs of their own, by where they are seen. */
  readonly scripts: Readonly<Record<string, string>>;
}

/** Exec form, shell form, and here-documents: what stands alone is the shell's whole input, or a program if it begins with `#!`; else the shell gets it all. */
function commandOf({ config }: StageBuild, { text, heredocs }: Instruction): Command {
  const words = jsonWords(text);
  if (words) {
    if (words.length === 0) throw new MooringError('Invalid', 'RUN wants a command');
    return { args: words, scripts: {} };
  }
  const [first] = heredocs;
  if (!first) return { args: [...config.shell, text], scripts: {} };
  if (heredocs.length === 1 && text === first.word) {
    if (!first.content.startsWith('#!')) return { args: [...config.shell, first.content], scripts: {} };
    const place = `${SCRIPTS}/${first.name.replaceAll('/', '_')}`;
    return { args: [place], scripts: { [place]: first.content } };
  }
  return { args: [...config.shell, [text, ...heredocs.map(({ content, name }) => `${content}${name}`)].join('\n')], scripts: {} };
}

function requireSuccess({ exit }: EndedRun, instruction: Instruction, tail: OutputTail): void {
  if (exit.exitCode === 0) return;
  const how = exit.oomKilled ? 'ran out of memory' : exit.signal === null ? `ended with status ${exit.exitCode}` : `was ended by signal ${exit.signal}`;
  const hints: Readonly<Record<number, string>> = {
    126: 'its program is there and can not be run: is it executable, and of this platform?',
    127: 'its program is not in the image, or not on its PATH',
  };
  const hint = exit.oomKilled ? 'give the node more memory' : (hints[exit.exitCode] ?? tail.hint());
  throw new CommandFailed(exit.exitCode, `${instruction.source} ${how}${tail.text()}`, hint);
}

/** A command that ended otherwise than well. */
export class CommandFailed extends MooringError {
  /** 128 + n when signal n ended it. */
  readonly status: number;

  constructor(status: number, message: string, hint: string | undefined) {
    super('Unavailable', message, hint === undefined ? {} : { fix: hint });
    this.status = status;
  }
}
