import type { ParsedDocument } from '../../parsed.ts';
import { type ContainerSpecInput, Draft } from '../../translate/draft.ts';
import type { Field } from '../../translate/field.ts';
import { FieldError } from '../../translate/problem-list.ts';
import { entriesOf, oneOrMore, textOf, unknownField } from '../../translate/read-field.ts';
import { parseEnvFile } from '../env-file.ts';
import { labelsOf, textsOf } from '../labels.ts';
import { resourceNameOf } from '../names.ts';
import type { Project } from '../project.ts';
import { CONNECTION, connect } from './connection.ts';
import { absolutePath, type Handlers, put, type Service } from './handler.ts';
import { LIFECYCLE } from './lifecycle.ts';
import { LIMITS } from './limits.ts';
import { MOUNTS } from './mounts.ts';
import { PORTS } from './ports.ts';
import { PROCESS } from './process.ts';
import { dockerNamesOf } from './replicas.ts';
import { SECURITY } from './security.ts';

/** Every field of a service. */
const HANDLERS: Handlers = { ...PROCESS, ...CONNECTION, ...PORTS, ...MOUNTS, ...LIMITS, ...SECURITY, ...LIFECYCLE };

/** Restarts as the engine of Docker spaces them: what waits for another service by failing is there soon after it. */
const DOCKER_BACKOFF = { initial: '100ms', max: '1m', resetAfter: '10s' };

/** The containers of one service. What is wrong with it is among the project's problems. */
export function translateService(name: string, field: Field, project: Project): ParsedDocument[] {
  const { problems } = project;
  if (field.get('image') === undefined && field.get('build') === undefined) {
    problems.fault(field, 'has neither image nor build', 'name an image', true);
    return [];
  }
  const service: Service = { name, field, project, draft: new Draft<ContainerSpecInput>() };
  put(service, { restartBackoff: DOCKER_BACKOFF, restartPolicy: 'Never', noNewPrivileges: false }, field);
  problems.attempt(field, () => {
    for (const [key, value] of entriesOf(field)) {
      if (key.startsWith('x-') || (value.value === null && Object.hasOwn(HANDLERS, key))) continue;
      problems.attempt(value, () => {
        const handler = Object.hasOwn(HANDLERS, key) ? HANDLERS[key] : undefined;
        if (handler === undefined) throw unknownField(value, key, Object.keys(HANDLERS));
        handler(value, service);
      });
    }
    connect(service);
  });
  return problems.attempt(field, () => containers(service)) ?? [];
}

function containers({ name, field, project, draft }: Service): ParsedDocument[] {
  const labels = [...labelFiles(field, project), ...(field.get('labels') === undefined ? [] : textsOf(field.get('labels') as Field, 'labels'))];
  const annotations = field.get('annotations') === undefined ? [] : textsOf(field.get('annotations') as Field, 'annotations');
  return dockerNamesOf(name, field, project.name).flatMap((dockerName, index) => {
    const own = { 'com.docker.compose.project': project.name, 'com.docker.compose.service': name, 'com.docker.compose.container-number': String(index + 1) };
    return draft.document('Container', { name: resourceNameOf(dockerName), ...labelsOf(own, labels, annotations) }, field, project.problems) ?? [];
  });
}

function labelFiles(field: Field, { texts, problems }: Project): [string, string][] {
  return labelFilesOf(field).flatMap(({ path, field: file }) => {
    const content = texts.get(path);
    if (content === undefined) throw new FieldError(file, `there is no file ${path}`, 'make it');
    const { variables, faults } = parseEnvFile(content, () => undefined);
    for (const { line, message } of faults) problems.fault(file, `line ${line} of ${path}: ${message}`);
    return [...variables];
  });
}

export function labelFilesOf(service: Field): { readonly field: Field; readonly path: string }[] {
  const files = service.get('label_file');
  return (files === undefined ? [] : oneOrMore(files)).map((field) => ({ field, path: absolutePath(field, textOf(field)) }));
}
