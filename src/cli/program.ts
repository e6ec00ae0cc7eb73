import { Argument, Command, CommanderError, Option } from 'commander';
import type { VersionFlags } from './commands/version.ts';
import { EXIT, errorLines, exitCodeOf } from './exit.ts';
import type { Io } from './io.ts';
import { defineBuilds } from './program-build.ts';
import { defineImages } from './program-image.ts';
import { defineChanging } from './program-change.ts';
import { defineDrift } from './program-drift.ts';
import { defineContainers } from './program-containers.ts';
import { defineConverting } from './program-convert.ts';
import { defineFiles } from './program-files.ts';
import { defineInspection } from './program-inspect.ts';
import { defineStreams } from './program-streams.ts';
import { defineSupplies } from './program-supply.ts';
import { defineReading, outputOption } from './program-read.ts';
import { defineRegistries } from './program-registry.ts';
import { defineSystem } from './program-system.ts';
import { defineTokens } from './program-token.ts';
import { examples, type Shell } from './shell.ts';
import { commandOf, parserWords, shortForm } from './words.ts';
import { RejectedDocuments } from './client.ts';
import { problemLines } from './output/problems.ts';

/** Runs one command line and returns its exit status. Failures are told on standard error, never thrown. */
export async function runCommand(args: readonly string[], io: Io): Promise<number> {
  let code: number = EXIT.ok;
  const program = buildProgram({ io, finish: (status) => (code = status) });
  try {
    await program.parseAsync(parserWords(args, program), { from: 'user' });
    return code;
  } catch (error) {
    const foreign = exitsAsAnother(args, program);
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : foreign ? EXIT.own : EXIT.usage;
    if (error instanceof RejectedDocuments) io.err(`${problemLines(error.problems, io.style).join('\n')}\n`);
    io.err(`${errorLines(error).join('\n')}\n`);
    return foreign ? ownFailure(error) : exitCodeOf(error);
  }
}

/** `run` and `exec` exit as a program of a container does: their own failures must be told apart from its. */
function exitsAsAnother(args: readonly string[], program: Command): boolean {
  return ['run', 'exec'].includes(commandOf(shortForm(args, program), program).command.name());
}

/** 126 and 127 where it is the program that can't be run. */
function ownFailure(error: unknown): number {
  return error instanceof Error && 'exitStatus' in error && typeof error.exitStatus === 'number' ? error.exitStatus : EXIT.own;
}

/** The whole tree of commands. Completion is generated from it. */
export function buildProgram(shell: Shell): Command {
  const { io } = shell;
  const program = new Command('mooring')
    .description('Keeps containers where they belong.')
    .option('-H, --host <address>', "the daemon's socket (default: MOORING_HOST, else unix:///run/mooring/mooring.sock)")
    .exitOverride()
    .showHelpAfterError('(see --help)')
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({ writeOut: (text) => io.out(text), writeErr: (text) => io.err(text), outputError: (text, write) => write(text.replace(/^error: /, 'mooring: ')) })
    .helpCommand(false)
    .addHelpText(
      'after',
      `
Exit status:
  0  done
  1  failed
  2  wrong flags or arguments, or documents that do not validate
  3  no daemon answers
  4  "plan --exit-code" and "drift --exit-code" only: something would change, or differs
"run", "start -a", "attach" and "exec" exit as the process does, 128 + n for signal n. "run" and "exec" exit with 125 when they failed themselves,
126 when the program can't be run, 127 when there is none of that name.`,
    );
  defineContainers(program, shell);
  defineInspection(program, shell);
  defineReading(program, shell);
  defineDrift(program, shell);
  defineChanging(program, shell);
  defineStreams(program, shell);
  defineImages(program, shell);
  defineSupplies(program, shell);
  defineBuilds(program, shell);
  defineRegistries(program, shell);
  defineSystem(program, shell);
  defineTokens(program, shell);
  defineFiles(program, shell);
  defineConverting(program, shell);

  const version = program.command('version').description("Print the command's version, and the daemon's.").option('-f, --format <template>', 'in this form: a Go template, or json').addOption(outputOption('json', 'yaml')).addOption(new Option('--json', '-o json').hideHelp());
  examples(version, ['mooring version', 'mooring version -o json', "mooring version --format '{{.Server.Version}}'"]).action(async (flags: VersionFlags, command: Command) => {
    const action = await import('./commands/version.ts');
    shell.finish(await action.version((text) => io.out(text), command.optsWithGlobals<{ host?: string }>().host, flags));
  });

  const completion = program.command('completion').description('Print a completion script for a shell.').addArgument(new Argument('<shell>').choices(['bash', 'zsh', 'fish']));
  examples(completion, ['source <(mooring completion bash)', 'mooring completion zsh > "${fpath[1]}/_mooring"', 'mooring completion fish | source']).action(
    async (kind: 'bash' | 'zsh' | 'fish') => {
      const { completionScript } = await import('./completion/script.ts');
      io.out(completionScript(kind, program));
    },
  );
  return program;
}
