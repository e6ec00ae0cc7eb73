import { mkdir } from 'node:fs/promises';
import { release } from 'node:os';
import { join } from 'node:path';
import { dockerFace } from '../api/docker/face.ts';
import { refuseForeignPages } from '../api/docker/foreign-pages.ts';
import { readOnly } from '../api/docker/read-only.ts';
import { withTokens } from '../api/docker/with-tokens.ts';
import { type FaceServer, startSocketServer } from '../api/socket-server.ts';
import { readTlsIdentity } from '../api/tls-identity.ts';
import { startTlsServer } from '../api/tls-server.ts';
import type { DaemonModule } from '../api/v1/daemon-module.ts';
import { dockerSocketPath, readOnlySocketPath, SOCKET_GROUP, socketPath, tokenSocketPath } from '../api/v1/defaults.ts';
import { startApiServer } from '../api/v1/server.ts';
import { removeStaleSocket } from '../api/unix-socket.ts';
import type { ApiServices } from '../api/v1/services.ts';
import type { DownProgress } from '../api/v1/types.ts';
import type { ContainerId } from '../engine/engine.ts';
import { pullSecretsIn } from '../engine/images/registry/pull-secrets.ts';
import { plainRegistries } from '../engine/images/registry/registry-settings.ts';
import { systemUsage } from '../engine/system-usage.ts';
import { systemClock as clock } from '../lib/clock.ts';
import { MooringError } from '../lib/errors.ts';
import { exists } from '../lib/exists.ts';
import { createLogger, type Logger } from '../lib/logger.ts';
import { VERSION } from '../lib/version.ts';
import { createMetrics } from '../metrics/metrics.ts';
import { startMetricsServer } from '../metrics/server.ts';
import { loadNative } from '../native/addon.ts';
import { Reconciler } from '../reconcile/reconciler.ts';
import { Supplies } from '../reconcile/supplies.ts';
import { createDirectorySource } from '../sources/directory/source.ts';
import { parseDocuments } from '../spec/parse.ts';
import type { SpecProblem } from '../spec/problem.ts';
import { NATIVE_ADDON, openGround } from './ground.ts';
import { ContextBuilds } from './build-source.ts';
import { createImageSource } from './image-source.ts';
import { pullSecretsFrom } from './pull-secrets.ts';
import { createProber } from './prober.ts';
import { checkHost } from './host-check.ts';
import { lockInstance } from './instance-lock.ts';
import { ProblemBoard } from './problem-board.ts';
import { endOnSignals, exitOnDefect } from './process-events.ts';
import { groundSettings, registrySettings, settings } from './settings.ts';
import { takeDown } from './take-down.ts';

/** Containers looked at, at once. */
const CONCURRENCY = 16;

/**
 * Builds the daemon from the ground up: its name and its socket are taken first, so that nothing of another daemon is touched; then what is
 * there is taken up again; then it is kept as it is wanted. A failure on the way closes again what was opened.
 */
export const startDaemon: DaemonModule['startDaemon'] = async (flags) => {
  const { specs, dataDir, runDir, instance, logLevel, metrics: metricsAddress, dockerTcp, dockerTokens, resyncIntervalMs, sandboxes, pullSecrets } = settings(flags);
  const registries = await registrySettings(flags);
  const tls = dockerTcp && (await readTlsIdentity(dockerTcp));
  await checkHost();
  const startedAt = new Date().toISOString();
  const logger = createLogger(logLevel);
  exitOnDefect(logger);
  await using opened = new AsyncDisposableStack();
  opened.use(await lockInstance(instance, loadNative(NATIVE_ADDON)));
  await mkdir(runDir, { recursive: true, mode: 0o755 });
  const services = Promise.withResolvers<ApiServices>();
  const socket = socketPath(runDir);
  const docker = dockerFace(logger, services.promise);
  const api = await startApiServer(socket, logger, services.promise, docker);
  opened.defer(() => api.close());
  const dockerApi = await startSocketServer(dockerSocketPath(runDir), { group: SOCKET_GROUP }, docker);
  opened.defer(() => dockerApi.close());
  const readOnlyApi = await startSocketServer(readOnlySocketPath(runDir), { group: SOCKET_GROUP }, readOnly(docker));
  opened.defer(() => readOnlyApi.close());
  const servers: FaceServer[] = [api, dockerApi, readOnlyApi];
  if (dockerTokens) {
    const tokenApi = await startSocketServer(tokenSocketPath(runDir), { group: SOCKET_GROUP }, withTokens(docker, services.promise));
    opened.defer(() => tokenApi.close());
    servers.push(tokenApi);
  } else await removeStaleSocket(tokenSocketPath(runDir)); // of a daemon before this one, which had it
  if (dockerTcp !== undefined && tls !== undefined) {
    const tcpApi = await startTlsServer(dockerTcp, tls, refuseForeignPages(dockerTokens ? withTokens(docker, services.promise) : docker, tls.certificate, dockerTcp.origins));
    opened.defer(() => tcpApi.close());
    servers.push(tcpApi);
    logger.info({ address: `tcp://${tcpApi.address}` }, 'the Docker Engine API is served to clients with a certificate');
  }

  const { engine, folders, images, builds, files, fileWatcher, desired, facts, events, tokens } = await openGround({ dataDir, runDir, instance, logLevel, sandboxes }, registries, logger, opened);
  const problems = new ProblemBoard();
  const metrics = createMetrics({ engine, clock, logger, concurrency: CONCURRENCY, problems: problems.list, views: () => reconciler.views(), queue: () => reconciler.queue });
  const { networks, volumes } = engine;
  const supplies = new Supplies({ networks, volumes, desired, events, clock, logger });
  const contexts = opened.use(new ContextBuilds({ builds, specs, logger }));
  const reconciler = new Reconciler({ engine, files: fileWatcher, supplies, images: createImageSource(images, pullSecretsFrom(desired, pullSecretsIn(pullSecrets)), contexts), prober: createProber(engine, images, clock), desired, facts, events, clock, logger, resyncIntervalMs, concurrency: CONCURRENCY, observer: metrics.observer });
  const onProblems = (standing: readonly SpecProblem[], appeared: readonly SpecProblem[]): void => {
    problems.replace(standing);
    metrics.specRejected(appeared);
  };
  const source = createDirectorySource({ dir: specs, desired, events, clock, logger, onProblems });
  let ready = false;
  void source.ready.then(() => (ready = true));

  // What may yet fail comes before anything is changed.
  let metricsUrl: string | null = null;
  if (metricsAddress !== undefined) {
    const server = await startMetricsServer({ ...metricsAddress, metrics, ready: () => ready, logger });
    opened.defer(() => server.close());
    metricsUrl = `http://${urlHost(metricsAddress.host)}:${server.port}/metrics`;
  }
  opened.defer(() => supplies.stop());
  supplies.start();
  opened.defer(() => reconciler.close());
  await reconciler.adopt();
  reconciler.start();
  opened.defer(() => source.stop());
  source.start();
  // First to go at the end, since they serve what goes after them; at the bottom too, for a start that fails.
  opened.defer(async () => void (await Promise.all(servers.map((server) => server.close()))));

  const closing = opened.move();
  const stopped = Promise.withResolvers<{ takenDown: boolean }>();
  const stop = once(async (takenDown: boolean) => {
    logger.info({ takenDown }, 'stopping');
    await closing.disposeAsync();
    stopped.resolve({ takenDown });
  }, stopped.reject);
  closing.use(endOnSignals(() => stop(false)));

  services.resolve({
    reconciler,
    desired,
    events,
    images,
    builds,
    disk: () => systemUsage({ folders, images, builds, volumes: engine.volumes }),
    networks,
    volumes,
    supplies,
    files,
    tokens,
    problems: problems.list,
    onProblems: problems.subscribe,
    parse,
    logs: (id, options) => engine.logs(id as ContainerId, options),
    insight: engine.insight,
    streams: {
      attach: (id) => engine.attach(id as ContainerId),
      exec: (id, request, onEnd) => reconciler.exec(id as ContainerId, request, onEnd),
      attachExec: (id, exec) => engine.attachExec(id as ContainerId, exec),
      signal: (id, signal) => engine.signal(id as ContainerId, signal),
    },
    info: () => ({
      version: VERSION,
      node: process.version,
      instance,
      pid: process.pid,
      startedAt,
      specs,
      dataDir,
      runDir,
      metricsUrl,
      kernel: release(),
      containers: reconciler.views().length,
    }),
    down: downOnce((onProgress) => takeDown({ engine, desired, reconciler }, onProgress), () => stop(true), logger),
  });
  logger.info({ socket, specs, instance, version: VERSION }, 'ready');
  return { socket, metricsUrl, stopped: stopped.promise };
};

/** Takes down what an instance left running, where no daemon of it runs now. */
export const takeDownWithoutDaemon: DaemonModule['takeDownWithoutDaemon'] = async (flags, onProgress) => {
  const ground = groundSettings(flags);
  await checkHost();
  if (!(await exists(join(ground.dataDir, 'db.sqlite')))) return onProgress({ type: 'DONE', removed: 0, failed: 0 });
  const logger = createLogger(ground.logLevel);
  await using opened = new AsyncDisposableStack();
  opened.use(await lockInstance(ground.instance, loadNative(NATIVE_ADDON)));
  for (const socket of [socketPath, dockerSocketPath, readOnlySocketPath, tokenSocketPath]) await removeStaleSocket(socket(ground.runDir));
  const { engine, desired, facts, events } = await openGround(ground, plainRegistries, logger, opened);
  const supplies = new Supplies({ networks: engine.networks, volumes: engine.volumes, desired, events, clock, logger });
  const reconciler = new Reconciler({ engine, supplies, desired, facts, events, clock, logger });
  opened.defer(() => reconciler.close());
  reconciler.start();
  await takeDown({ engine, desired, reconciler }, onProgress);
};

/** Listening on every address, the page is at hand on the loopback. */
function urlHost(host: string): string {
  if (host === '::' || host === '0.0.0.0') return 'localhost';
  return host.includes(':') ? `[${host}]` : host;
}

function parse(file: string, text: string): ReturnType<ApiServices['parse']> {
  const { documents, problems } = parseDocuments(text, file);
  return { declared: documents.map(({ resource, at }) => ({ resource, location: at })), problems };
}

/** A take-down goes on to its end, and then ends the daemon, even when the client who asked for it has gone. */
function downOnce(run: (onProgress: (progress: DownProgress) => void) => Promise<void>, end: () => void, logger: Logger): ApiServices['down'] {
  let asked = false;
  return () => {
    if (asked) throw new MooringError('Conflict', 'everything is being taken down already');
    asked = true;
    let gone = false;
    return new ReadableStream<DownProgress>({
      async start(controller) {
        try {
          await run((progress) => {
            if (!gone) controller.enqueue(progress);
          });
          if (!gone) controller.close();
        } catch (error) {
          logger.error({ err: error }, 'the take-down failed');
          controller.error(error);
        }
        end();
      },
      cancel() {
        gone = true;
      },
    });
  };
}

/** A function that does its work at the first call only. */
function once<Argument>(work: (argument: Argument) => Promise<void>, onError: (error: unknown) => void): (argument: Argument) => void {
  let called = false;
  return (argument) => {
    if (called) return;
    called = true;
    work(argument).catch(onError);
  };
}
