import { LOCATION_ANNOTATION, SOURCE_ANNOTATION, type ContainerObject, type EventList, type MooringEvent, type ProblemList, type SpecProblem } from '../../api/v1/types.ts';
import type { Client } from '../client.ts';
import { EXIT } from '../exit.ts';
import type { Io } from '../io.ts';
import { containerPath, parseName } from '../name.ts';
import { formatAge } from '../output/age.ts';
import { addressOf, sourceOf } from '../output/container-table.ts';
import { problemLines } from '../output/problems.ts';
import { stateColour } from '../output/style.ts';
import { printable, renderTable } from '../output/table.ts';
import { serialize, type OutputFormat } from './get.ts';

export interface DescribeOptions {
  readonly namespace: string;
  readonly output?: OutputFormat;
}

/** `mooring describe NAME …`: the container, its problems and its events on one page. */
export async function describe(client: Client, io: Io, words: readonly string[], options: DescribeOptions): Promise<number> {
  for (const [index, word] of words.entries()) {
    const name = parseName(word, options.namespace);
    const key = `${name.namespace}/${name.name}`;
    const [container, events, allProblems] = await Promise.all([
      client.get<ContainerObject>(containerPath(name)),
      client.get<EventList>(`/v1/events?name=${encodeURIComponent(key)}`),
      client.get<ProblemList>('/v1/problems'),
    ]);
    const file = fileOf(container.metadata.annotations[LOCATION_ANNOTATION]);
    const problems = allProblems.items.filter((problem) => (problem.name === key && (problem.kind ?? 'Container') === 'Container') || (problem.name === undefined && problem.file === file));
    if (options.output === 'json' || options.output === 'yaml') io.out(await serialize({ container, problems, events: events.items }, options.output));
    else io.out((index > 0 ? '\n\n' : '') + page(container, problems, events.items, io, options.output === 'wide'));
  }
  return EXIT.ok;
}

/** `NAME=value`, or where its value comes from. */
function variableText({ name, value, valueFrom }: ContainerObject['spec']['env'][number]): string {
  const { configMapKeyRef, secretKeyRef } = valueFrom ?? {};
  if (configMapKeyRef !== undefined) return `${name} from ${configMapKeyRef.key} of configmap ${configMapKeyRef.name}`;
  return secretKeyRef === undefined ? `${name}=${value}` : `${name} from ${secretKeyRef.key} of secret ${secretKeyRef.name}`;
}

/** `/srv/data`, `tmpfs`, `volume data/below`, `volume of its own`. */
function sourceOfMount({ bind, volume, configMap, secret, projected }: ContainerObject['spec']['mounts'][number]): string {
  if (bind !== undefined) return bind.source;
  const sources = [{ configMap, secret }, ...(projected?.sources ?? [])].flatMap((source) => [...(source.configMap ? [`configmap ${source.configMap.name}`] : []), ...(source.secret ? [`secret ${source.secret.name}`] : [])]);
  if (sources.length > 0) return sources.join(' and ');
  if (volume === undefined) return 'tmpfs';
  return `volume ${volume.name ?? 'of its own'}${volume.subPath === undefined ? '' : `/${volume.subPath}`}`;
}

/** The file of a location such as `web.yaml:3:1`. */
function fileOf(location: string | undefined): string | undefined {
  return location?.replace(/:\d+:\d+$/, '');
}

function page(container: ContainerObject, problems: readonly SpecProblem[], events: readonly MooringEvent[], io: Io, wide: boolean): string {
  const { style } = io;
  const { metadata, spec, status } = container;
  const now = io.now();
  const time = (text: string | undefined): string | undefined => text && `${text} (${formatAge(now - Date.parse(text))} ago)`;
  const fields: [string, string | undefined][] = [
    ['Name', metadata.name],
    ['Namespace', metadata.namespace],
    ['Labels', pairs(metadata.labels)],
    ['Annotations', pairs(Object.fromEntries(Object.entries(metadata.annotations).filter(([key]) => key !== SOURCE_ANNOTATION && key !== LOCATION_ANNOTATION)))],
    ['Source', sourceOf(container)],
    ['Generation', `${metadata.generation} (observed ${status.observedGeneration})`],
    ['State', stateColour(style, status.phase)(status.phase)],
    ['Image', spec.image],
    ['Image ID', status.imageID],
    ['Container ID', status.containerID],
    ['PID', status.pid?.toString()],
    ['Command', spec.command && JSON.stringify(spec.command)],
    ['Args', spec.args && JSON.stringify(spec.args)],
    ['Env', spec.env.length === 0 ? undefined : spec.env.map((variable) => (wide ? variableText(variable) : variable.name)).join(', ')],
    ['Env from', spec.envFrom.map(({ prefix, configMapRef, secretRef }) => `${configMapRef === undefined ? `secret ${secretRef?.name ?? ''}` : `configmap ${configMapRef.name}`}${prefix === '' ? '' : ` as ${prefix}…`}`).join(', ')],
    ['Address', addressOf(container)],
    ['Exposure', status.exposure],
    ['Mounts', spec.mounts.map((mount) => `${mount.mountPath} from ${sourceOfMount(mount)}${mount.readOnly ? ' (read-only)' : ''}`).join(', ')],
    ['Resources', pairs(spec.resources)],
    ['Restarts', `${status.restartCount} (policy ${spec.restartPolicy})`],
    ['Started', time(status.startedAt)],
    ['Finished', time(status.finishedAt)],
    ['Exit code', status.exitCode?.toString()],
    ['Last drift', status.lastDrift && `${status.lastDrift.kind}: ${status.lastDrift.message} (${formatAge(now - Date.parse(status.lastDrift.time))} ago)`],
  ];
  const shown = fields.filter((field): field is [string, string] => field[1] !== undefined && field[1] !== '');
  const width = Math.max(...shown.map(([label]) => label.length)) + 1;
  const parts = [shown.map(([label, value]) => `${style.bold(`${label}:`.padEnd(width))}  ${label === 'State' ? value : printable(value)}`).join('\n')];
  if (status.conditions.length > 0) {
    const rows = status.conditions.map((condition) => [condition.type, condition.status, condition.reason, formatAge(now - Date.parse(condition.lastTransitionTime)), condition.message]);
    parts.push(section('Conditions', renderTable(['TYPE', 'STATUS', 'REASON', 'AGE', 'MESSAGE'], rows), io));
  }
  if (problems.length > 0) parts.push(section('Problems (not accepted; what is above goes on)', problemLines(problems, style).join('\n'), io));
  parts.push(section('Events', events.length === 0 ? 'none' : eventTable(events, now), io));
  return `${parts.join('\n\n')}\n`;
}

export function section(title: string, body: string, { style }: Io): string {
  return `${style.bold(`${title}:`)}\n${body.trimEnd().replace(/^/gm, '  ')}`;
}

export function eventTable(events: readonly MooringEvent[], now: number): string {
  const rows = events.map((event) => [event.type, event.reason, formatAge(now - Date.parse(event.lastTime)), event.count > 1 ? `×${event.count}` : '', event.message]);
  return renderTable(['TYPE', 'REASON', 'AGE', '', 'MESSAGE'], rows);
}

export function pairs(values: Readonly<Record<string, unknown>>): string {
  return Object.entries(values)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => `${key}=${typeof value === 'string' ? value : JSON.stringify(value)}`)
    .join(', ');
}
