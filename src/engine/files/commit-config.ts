import path from 'node:path';

import { MooringError } from '../../lib/errors.ts';
import { listed } from '../../lib/text.ts';
import type { ContainerSpec } from '../../spec/container.ts';
import { parseDockerfile } from '../build/dockerfile.ts';
import { expandWord } from '../build/expand.ts';
import type { Keyword } from '../build/instruction.ts';
import { StageConfig } from '../build/stage-config.ts';
import { StageVariables } from '../build/variables.ts';
import type { ImageRuntimeConfig } from '../images/oci-image.ts';

/** The instructions that say something of the config and nothing of the files, as in "docker commit --change". */
const ALLOWED: readonly Keyword[] = ['CMD', 'ENTRYPOINT', 'ENV', 'EXPOSE', 'HEALTHCHECK', 'LABEL', 'ONBUILD', 'SHELL', 'STOPSIGNAL', 'USER', 'VOLUME', 'WORKDIR'];

/** Applies Dockerfile instructions, one a line, to an image's config. Throws `Invalid`, naming the instruction. */
export function changedConfig(base: ImageRuntimeConfig, changes: readonly string[]): ImageRuntimeConfig {
  const lines = changes.filter((change) => change.trim() !== '');
  if (lines.length === 0) return base;
  const config = new StageConfig(base, new StageVariables(base.Env ?? []), '\\');
  const expand = (word: string): string => expandWord(word, { escape: '\\', lookup: config.variables.lookup });
  for (const line of lines) {
    for (const instruction of parseDockerfile(line, '--change').instructions) {
      const { keyword, text, source } = instruction;
      if (!ALLOWED.includes(keyword)) throw new MooringError('Invalid', `${keyword} is no change of an image's config`, { at: source, fix: `use one of ${listed(ALLOWED)}` });
      try {
        if (keyword === 'WORKDIR') config.setWorkingDir(path.posix.resolve('/', config.workingDir, expand(text)));
        else config.apply(instruction, expand);
      } catch (error) {
        if (error instanceof MooringError && error.at === undefined) throw new MooringError(error.code, error.message, { at: source, ...(error.fix !== undefined && { fix: error.fix }), cause: error });
        throw error;
      }
    }
  }
  return config.result();
}

/** What an image made of a container says of its processes: what its image does, and over that what was asked for the container. */
export function configOfContainer(spec: ContainerSpec, image: ImageRuntimeConfig): ImageRuntimeConfig {
  const command = spec.command?.length ? spec.command : undefined;
  const args = spec.args?.length ? spec.args : undefined;
  const environment = new StageVariables(image.Env ?? []);
  // What comes from ConfigMaps and Secrets is the container's, and not for others to pull.
  for (const { name, value, valueFrom } of spec.env) if (valueFrom === undefined) environment.environment.set(name, value);
  const ports = Object.fromEntries(spec.ports.map(({ containerPort, protocol }) => [`${containerPort}/${protocol.toLowerCase()}`, {}]));
  return {
    ...image,
    Env: environment.entries(),
    ...(command && { Entrypoint: command }),
    // A command stands for the image's arguments, too.
    ...((command || args) && { Cmd: args ?? null }),
    ...(spec.workingDir !== undefined && { WorkingDir: spec.workingDir }),
    ...(spec.user !== undefined && { User: spec.user }),
    ...(spec.stopSignal !== 'SIGTERM' && { StopSignal: spec.stopSignal }),
    ...(spec.ports.length > 0 && { ExposedPorts: { ...image.ExposedPorts, ...ports } }),
  };
}
