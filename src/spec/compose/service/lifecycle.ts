import type { Field } from '../../translate/field.ts';
import { FieldError } from '../../translate/problem-list.ts';
import { entriesOf, fieldsAmong, flagOf, integerOf, textOf, wordOf } from '../../translate/read-field.ts';
import { asMapping } from '../merge.ts';
import { buildOf } from './build.ts';
import { type Handlers, put, refused, type Service, text, unheard } from './handler.ts';
import { healthcheckOf } from './healthcheck.ts';
import { deployResources } from './limits.ts';
import { loggingOf } from './logging.ts';
import { containersOf } from './replicas.ts';

const PULL_POLICIES = { always: 'Always', never: 'Never', missing: 'IfNotPresent', if_not_present: 'IfNotPresent' } as const;
const DEPENDENCY_CONDITIONS = { service_started: 'Started', service_healthy: 'Ready', service_completed_successfully: 'Completed' } as const;
const CONDITIONS = { none: 'Never', 'on-failure': 'OnFailure', any: 'Always' } as const;

/** What a service is made from, and what becomes of it when it ends. */
export const LIFECYCLE: Handlers = {
  image: text((image) => ({ image })),
  build: (field, service) => buildOf(asMapping(field, 'build'), service),
  pull_policy: (field, service) => {
    const policy = wordOf(field, ['always', 'never', 'missing', 'if_not_present', 'build', 'daily', 'weekly']);
    if (policy === 'daily' || policy === 'weekly') throw new FieldError(field, `a pull ${policy} is not supported`, 'use always, missing or never');
    if (policy === 'build' && service.field.get('build') === undefined) throw new FieldError(field, 'there is nothing to build', 'add build');
    if (policy !== 'build') put(service, { imagePullPolicy: PULL_POLICIES[policy] }, field);
  },
  // In place of compose's default `no`: see translateService.
  restart: (field, service) => {
    const match = /^(no|false|always|unless-stopped|on-failure)(?::([0-9]+))?$/.exec(textOf(field));
    if (match === null) throw new FieldError(field, `there is no restart policy ${JSON.stringify(textOf(field))}`, 'use "no", always, unless-stopped or on-failure');
    const [, policy, count] = match;
    if (count !== undefined && policy !== 'on-failure') throw new FieldError(field, `${policy ?? ''} has no number`, 'write on-failure, or leave it out');
    if (Number(count ?? 0) > 0) put(service, { restartBackoff: { maxRetries: Number(count) } }, field);
    put(service, { restartPolicy: policy === 'on-failure' ? 'OnFailure' : policy === 'no' || policy === 'false' ? 'Never' : 'Always' }, field);
  },
  deploy: (field, service) => deploy(field, service),
  depends_on: (field, service) => {
    for (const [name, value] of entriesOf(asMapping(field, 'depends_on'))) dependOn(name, value, service);
  },
  healthcheck: (field, service) => put(service, { healthcheck: healthcheckOf(field) }, field),
  logging: (field, service) => put(service, { logging: loggingOf(field) }, field),
  container_name: unheard,
  profiles: unheard,
  extends: unheard,
  labels: unheard,
  label_file: unheard,
  annotations: unheard,
  develop: unheard,
  provider: refused('services of providers are not supported'),
  models: refused('models are not supported'),
};

function dependOn(name: string, field: Field, service: Service): void {
  const { condition, required, restart } = field.value === null ? {} : fieldsAmong(field, ['condition', 'restart', 'required']);
  const isRequired = required === undefined || flagOf(required);
  if (!isRequired && !service.project.services.has(name)) return;
  const how = { condition: condition === undefined ? ('Started' as const) : DEPENDENCY_CONDITIONS[wordOf(condition, ['service_started', 'service_healthy', 'service_completed_successfully'])], required: isRequired, restart: restart !== undefined && flagOf(restart) };
  for (const container of containersOf(name, field, service.project)) put(service, { dependsOn: [{ container, ...how }] }, field);
}

function deploy(field: Field, service: Service): void {
  const given = fieldsAmong(field, ['mode', 'replicas', 'resources', 'restart_policy', 'labels', 'endpoint_mode', 'placement', 'update_config', 'rollback_config']);
  const { problems } = service.project;
  if (given.mode !== undefined) {
    const mode = wordOf(given.mode, ['replicated', 'global', 'replicated-job', 'global-job']);
    if (mode !== 'replicated' && mode !== 'global') throw new FieldError(given.mode, `mode ${mode} is not supported`, 'use restart: "no", or on-failure, for a job');
  }
  if (given.resources !== undefined) deployResources(given.resources, service);
  if (given.restart_policy !== undefined) restartPolicy(given.restart_policy, service);
  if (given.endpoint_mode !== undefined) problems.warn(given.endpoint_mode, "a service's name stands for the addresses of all its containers, in turn");
  if (given.placement !== undefined) problems.warn(given.placement, 'there is one node to run on');
  for (const config of [given.update_config, given.rollback_config]) if (config !== undefined) problems.warn(config, 'containers of a service are replaced at the same time');
}

function restartPolicy(field: Field, service: Service): void {
  const { condition, delay, max_attempts: attempts, window } = fieldsAmong(field, ['condition', 'delay', 'max_attempts', 'window']);
  put(service, { restartPolicy: condition === undefined ? 'Always' : CONDITIONS[wordOf(condition, ['none', 'on-failure', 'any'])] }, condition ?? field);
  if (delay !== undefined) put(service, { restartBackoff: { initial: textOf(delay), max: textOf(delay) } }, delay);
  if (window !== undefined) put(service, { restartBackoff: { resetAfter: textOf(window) } }, window);
  if (attempts !== undefined && integerOf(attempts) > 0) put(service, { restartBackoff: { maxRetries: integerOf(attempts) } }, attempts);
}
