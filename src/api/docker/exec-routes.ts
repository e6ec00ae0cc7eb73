import { z } from 'zod';
import { resizeFrame } from '../../lib/attach-frames.ts';
import type { ContainerView } from '../../reconcile/view.ts';
import { sendJson } from '../reply.ts';
import { type DockerCall, param, readJson, sendStatus } from './call.ts';
import { attributesOf } from './container-events.ts';
import { findContainer } from './container-lookup.ts';
import { requireRunning } from './container-state.ts';
import type { DockerServices } from './docker-services.ts';
import { DockerError } from './error-reply.ts';
import { type ExecInstance, execsOf } from './exec-registry.ts';
import { hijack } from './hijack.ts';
import { resizeTerminal, terminalSize } from './resize.ts';
import type { DockerRoute } from './route.ts';
import { frame } from '../stdcopy.ts';
import { detachKeysOf, runStreamSession, send } from './stream-session.ts';

export const execRoutes: readonly DockerRoute[] = [
  { method: 'POST', path: '/containers/:id/exec', handle: create },
  { method: 'POST', path: '/exec/:id/start', handle: start },
  { method: 'POST', path: '/exec/:id/resize', handle: resize },
  { method: 'GET', path: '/exec/:id/json', handle: inspect },
];

const flag = z.boolean().nullish().transform((value) => value ?? false);
const text = z.string().nullish().transform((value) => value ?? '');
const texts = z.array(z.string()).nullish().transform((value) => value ?? []);

const execConfig = z.object({
  AttachStdin: flag,
  AttachStdout: flag,
  AttachStderr: flag,
  DetachKeys: text,
  Tty: flag,
  Env: texts,
  Cmd: z.union([z.string().transform((word) => [word]), texts]),
  Privileged: flag,
  User: text,
  WorkingDir: text,
  Detach: flag,
});

async function create(call: DockerCall, services: DockerServices): Promise<void> {
  const body = await readJson(call, execConfig);
  const { id: containerId, view } = findContainer(services, param(call, 'id'));
  if (body.Cmd.length === 0) throw new DockerError(400, 'No exec command specified');
  requireRunning(containerId, view, 'exec', param(call, 'id'));
  detachKeysOf(body.DetachKeys || undefined);
  if (body.Privileged && !view.container.spec.privileged) throw new DockerError(501, 'a privileged process in a container that is not is not supported by Mooring; run the container with --privileged');
  const env = body.Env.map((entry) => {
    const equals = entry.indexOf('=');
    if (equals < 1) throw new DockerError(400, `invalid environment variable: ${entry}`);
    return { name: entry.slice(0, equals), value: entry.slice(equals + 1) };
  });
  const { id } = execsOf(services).create({
    containerId,
    request: {
      command: body.Cmd,
      tty: body.Tty,
      stdin: body.AttachStdin,
      env,
      ...(body.WorkingDir !== '' && { workingDir: body.WorkingDir }),
      ...(body.User !== '' && { user: body.User }),
    },
    attach: { stdin: body.AttachStdin, stdout: body.AttachStdout, stderr: body.AttachStderr },
    detachKeys: body.DetachKeys || undefined,
    privileged: body.Privileged,
  });
  tell(services, view, `exec_create: ${body.Cmd.join(' ')}`, id);
  sendJson(call, { Id: id }, 201);
}

const startConfig = z.object({ Detach: flag, Tty: flag });

async function start(call: DockerCall, services: DockerServices): Promise<void> {
  const { Detach: detach } = await readJson(call, startConfig);
  const registry = execsOf(services);
  const instance = registry.get(param(call, 'id'));
  const view = services.reconciler.views().find(({ status }) => status.containerID === instance.containerId);
  if (view === undefined) throw new DockerError(404, `No such container: ${instance.containerId}`);
  if (instance.state !== 'Created') throw new DockerError(409, `Error: Exec command ${instance.id} has already run`);
  requireRunning(instance.containerId, view, 'exec');
  instance.state = 'Running';
  tell(services, view, `exec_start: ${instance.request.command.join(' ')}`, instance.id);
  const refusal = await begin(services, instance, view, detach);
  if (detach) {
    if (refusal !== undefined) throw new DockerError(400, refusal);
    return sendStatus(call, 200);
  }
  await serve(call, services, instance, refusal);
}

/** Runs it. Gives back why its program can't be run. */
async function begin(services: DockerServices, instance: ExecInstance, view: ContainerView, detach: boolean): Promise<string | undefined> {
  const registry = execsOf(services);
  try {
    const request = { ...instance.request, detach, stdin: instance.request.stdin === true && !detach };
    const result = await services.streams.exec(instance.containerId, request, (exit) => {
      registry.ended(instance, exit?.exitCode);
      tell(services, view, 'exec_die', instance.id, exit === undefined ? {} : { exitCode: String(exit.exitCode) });
    });
    if ('exitCode' in result) {
      registry.ended(instance, result.exitCode);
      return `OCI runtime exec failed: exec failed: unable to start container process: ${result.message}: unknown`;
    }
    instance.engineId = result.id;
    instance.pid = result.pid;
    if (!detach) instance.connection = await services.streams.attachExec(instance.containerId, result.id);
    return undefined;
  } catch (error) {
    registry.ended(instance, undefined);
    throw error;
  }
}

async function serve(call: DockerCall, services: DockerServices, instance: ExecInstance, refusal: string | undefined): Promise<void> {
  const { connection, attach, request, detachKeys } = instance;
  const client = hijack(call);
  const raw = request.tty === true;
  try {
    if (refusal !== undefined) {
      const line = Buffer.from(`${refusal}\r\n`);
      await send(client.output, raw ? line : frame('stdout', line));
    } else if (connection !== undefined) {
      const end = await runStreamSession(connection, client, { ...attach, raw, detachKeys: detachKeysOf(detachKeys) });
      // Whoever reads the end of the streams asks for the exit code next.
      if (typeof end === 'object') execsOf(services).ended(instance, end.exitCode);
    }
  } finally {
    client.output.end();
  }
}

function tell({ told }: DockerServices, view: ContainerView, action: string, execID: string, more: Readonly<Record<string, string>> = {}): void {
  told.container(action, view.status.containerID ?? '', { ...attributesOf(view), execID, ...more });
}

async function resize(call: DockerCall, services: DockerServices): Promise<void> {
  const instance = execsOf(services).get(param(call, 'id'));
  const { rows, columns } = terminalSize(call.query);
  if (instance.state !== 'Running' || instance.engineId === undefined) throw new DockerError(409, `exec process ${instance.id} is not running`);
  if (instance.connection !== undefined) instance.connection.write(resizeFrame(rows, columns));
  else await resizeTerminal(await services.streams.attachExec(instance.containerId, instance.engineId), rows, columns);
  sendStatus(call, 200);
}

function inspect(call: DockerCall, services: DockerServices): void {
  const { id, containerId, request, attach, detachKeys, privileged, state, exitCode, pid } = execsOf(services).get(param(call, 'id'));
  const [entrypoint = '', ...words] = request.command;
  sendJson(call, {
    ID: id,
    Running: state === 'Running',
    ExitCode: exitCode ?? null,
    ProcessConfig: { tty: request.tty ?? false, entrypoint, arguments: words, privileged, ...(request.user !== undefined && { user: request.user }) },
    OpenStdin: attach.stdin,
    OpenStderr: attach.stderr,
    OpenStdout: attach.stdout,
    CanRemove: state === 'Ended',
    ContainerID: containerId,
    DetachKeys: detachKeys ?? '',
    Pid: pid ?? 0,
  });
}
