import type { Command } from 'commander';
import { Client, socketOf } from './client.ts';
import { DockerClient } from './docker/docker-client.ts';
import type { Io } from './io.ts';

/** What the definitions of commands share: the process's edges, and where an action leaves its exit status. */
export interface Shell {
  readonly io: Io;
  finish(code: number): void;
}

/** The daemon that `--host` of this command (or of the program before it) names. */
export function clientOf(command: Command): Client {
  return new Client(socketOf(command.optsWithGlobals<{ host?: string }>().host));
}

/** As `clientOf`, to speak the Docker Engine API, which has the same socket. */
export function dockerOf(command: Command): DockerClient {
  return new DockerClient(clientOf(command).socket);
}

/** Adds a block of examples below a command's help. Each line runs as printed. */
export function examples(command: Command, lines: readonly string[]): Command {
  return command.addHelpText('after', `\nExamples:\n${lines.map((line) => `  ${line}`).join('\n')}`);
}
