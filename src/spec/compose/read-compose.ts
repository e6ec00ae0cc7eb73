import { posix } from 'node:path';
import { quoted } from '../../lib/text.ts';
import { circlesAmong, describeCircle } from '../order-graph.ts';
import type { ParsedDocument, ParseResult } from '../parsed.ts';
import { resourceName } from '../resource.ts';
import { Field } from '../translate/field.ts';
import { FieldError, ProblemList } from '../translate/problem-list.ts';
import { entriesOf, isList, isMap, itemsOf, textOf, unknownField } from '../translate/read-field.ts';
import { CONFIG_SECTIONS, configFileOf, configOf, type ConfigSection, declaredConfigs, type TranslatedConfig } from './configs.ts';
import { parseEnvFile } from './env-file.ts';
import { extended } from './extends.ts';
import { interpolated } from './interpolate.ts';
import { mergedFields } from './merge.ts';
import { checkProjectName, overridesOf, projectNameOf } from './names.ts';
import { networkOf, type TranslatedNetwork } from './networks.ts';
import type { Project, ReadInput } from './project.ts';
import { readSource } from './read-source.ts';
import { envFilesOf } from './service/process.ts';
import { labelFilesOf, translateService } from './service/translate.ts';
import type { Lookup } from './template.ts';
import { volumeOf } from './volumes.ts';

export interface ComposeOptions {
  /** How problems and locations name the file. */
  readonly file: string;
  /** The file's absolute path, by which its folder is known, and what lies in it. */
  readonly path: string;
  readonly read: ReadInput;
}

const TOP = ['name', 'version', 'services', 'networks', 'volumes', 'configs', 'secrets', 'include', 'models'];

/**
 * Reads a compose file as the Compose specification has it, and gives what it becomes: a `Container` for each container that `docker compose up` would make, a `Network`
 * for each network, a `Volume` for each volume, all in namespace `default`. What is read beside it: `.env` and an override file in the same folder, and the files that it names.
 * Variables come from `.env` alone. A problem without `warning` says that the file can't be taken. Never throws but for what `read` throws.
 */
export async function readCompose(content: Uint8Array | string, { file, path, read }: ComposeOptions): Promise<ParseResult> {
  const problems = new ProblemList(file);
  const folder = posix.dirname(path);
  const own = readSource(content, file, folder, problems);
  if (own === undefined) return { documents: [], problems: problems.list() };
  const dotenv = await read(posix.join(folder, '.env'));
  const environment = parseEnvFile(dotenv === undefined ? '' : Buffer.from(dotenv).toString('utf8'), () => undefined);
  for (const { line, message } of environment.faults) problems.fault(own, `line ${line} of .env: ${message}`);
  let lookup: Lookup = (name) => environment.variables.get(name);

  let root = own;
  for (const name of overridesOf(path)) {
    const text = await read(posix.join(folder, name));
    const over = text === undefined ? undefined : readSource(text, posix.join(posix.dirname(file), name), folder, problems);
    const below = root;
    if (over !== undefined) root = problems.attempt(over, () => mergedFields(below, over)) ?? root;
  }
  const name = problems.attempt(root, () => projectName(root, folder, lookup, problems)) ?? 'project';
  const given = lookup;
  lookup = (variable) => given(variable) ?? (variable === 'COMPOSE_PROJECT_NAME' ? name : undefined);
  root = interpolated(root, lookup, problems);

  const others = new Map<string, Field | undefined>();
  const readOther = async (otherPath: string, by: Field): Promise<Field | undefined> => {
    if (otherPath === path) return root;
    if (!others.has(otherPath)) {
      const text = await read(otherPath);
      if (text === undefined) problems.fault(by, `there is no file ${otherPath}`);
      const other = text === undefined ? undefined : readSource(text, posix.join(posix.dirname(file), posix.relative(folder, otherPath)), posix.dirname(otherPath), problems);
      others.set(otherPath, other === undefined ? undefined : interpolated(other, lookup, problems));
    }
    return others.get(otherPath);
  };

  // What a mistake in what goes before leads to would only hide it.
  if (!problems.good) return { documents: [], problems: problems.list() };
  const { services, inactive } = await servicesOf(root, own, readOther, lookup, problems);
  if (!problems.good) return { documents: [], problems: problems.list() };
  const texts = new Map<string, string | undefined>();
  for (const service of services.values()) {
    for (const { path: named } of problems.attempt(service, () => [...envFilesOf(service), ...labelFilesOf(service)]) ?? []) {
      const text = await read(named);
      texts.set(named, text === undefined ? undefined : Buffer.from(text).toString('utf8'));
    }
  }
  const declared = declaredConfigs(root, services.values());
  const files = new Map<string, Uint8Array | undefined>();
  for (const field of [...declared.values()].flatMap((section) => [...section.values()])) {
    const named = problems.attempt(field, () => configFileOf(field));
    if (named !== undefined) files.set(named, await read(named));
  }
  const configs = translatedConfigs(declared, { project: name, lookup, files, problems });
  return translate(root, { name, folder, problems, lookup, services, inactive, texts }, configs);
}

function translatedConfigs(declared: ReadonlyMap<ConfigSection, ReadonlyMap<string, Field>>, inputs: Parameters<typeof configOf>[3]): Record<ConfigSection, ReadonlyMap<string, TranslatedConfig>> {
  const of = (section: ConfigSection) =>
    new Map(
      [...(declared.get(section) ?? [])].map(([key, field]) => {
        const config = inputs.problems.attempt(field, () => configOf(section, key, field, inputs));
        // One that is not good stands for itself, so that no service is told to lack it.
        return [key, config ?? { name: key, key, document: undefined }] as const;
      }),
    );
  return { configs: of('configs'), secrets: of('secrets') };
}

function translate(root: Field, base: Omit<Project, 'networks' | 'volumes' | 'configs' | 'secrets'>, configs: ReturnType<typeof translatedConfigs>): ParseResult {
  const { name, problems, services } = base;
  for (const [key, field] of entriesOf(root)) {
    if (key === 'include' || key === 'models') problems.fault(field, 'is not supported', key === 'include' ? 'give each file a folder of its own here' : 'leave it out', true);
    else if (!TOP.includes(key) && !key.startsWith('x-')) problems.attempt(field, () => { throw unknownField(field, key, TOP); });
  }
  const networks = new Map<string, TranslatedNetwork>();
  for (const [key, field] of networksOf(root, services, problems)) {
    const network = problems.attempt(field, () => networkOf(key, field, name, problems));
    // One that is not good stands for itself, so that no service is told to lack it.
    networks.set(key, network ?? { reference: { name, internal: false }, document: undefined });
  }
  const volumes = sectionOf(root, 'volumes', problems).flatMap(([key, field]) => {
    const volume = problems.attempt(field, () => volumeOf(key, field, name, problems));
    return [[key, volume ?? { name, document: undefined }] as const];
  });
  const project: Project = {
    ...base,
    networks: new Map([...networks].map(([key, { reference }]) => [key, reference])),
    volumes: new Map(volumes.map(([key, volume]) => [key, volume.name])),
    ...configs,
  };
  const made = [...services].map(([key, field]) => ({ field, documents: translateService(key, field, project) }));
  const containers = made.flatMap(({ documents }) => documents);
  for (const [closing, circle] of circlesAmong(new Map(containers.flatMap(({ resource }) => (resource.kind === 'Container' ? [[resourceName(resource), resource] as const] : []))), () => undefined)) {
    const field = made.find(({ documents }) => documents.some((document) => document.name === closing))?.field ?? root;
    problems.fault(field.get('depends_on') ?? field, describeCircle(circle), 'take one of these out of depends_on', true);
  }
  const supplies = [...networks.values(), ...volumes.map(([, volume]) => volume)].flatMap(({ document }) => document ?? []);
  const given = CONFIG_SECTIONS.flatMap((section) => [...configs[section].values()]).flatMap(({ document }) => document ?? []);
  return { documents: problems.good ? [...used(supplies, containers), ...given, ...containers] : [], problems: problems.list() };
}

/** COMPOSE_PROJECT_NAME of `.env`, `name`, or the folder's name. */
function projectName(root: Field, folder: string, lookup: Lookup, problems: ProblemList): string {
  const given = root.get('name');
  const named = lookup('COMPOSE_PROJECT_NAME') ?? (given === undefined ? undefined : textOf(interpolated(given, lookup, problems)));
  if (named !== undefined) return checkProjectName(named);
  const made = projectNameOf(folder);
  if (made === '') throw new FieldError(root, `the folder ${quoted(folder)} makes no project name`, 'add name: at the top');
  return made;
}

/** The services that the profiles in COMPOSE_PROFILES leave in, each with what it extends. */
async function servicesOf(root: Field, own: Field, readOther: Parameters<typeof extended>[3], lookup: Lookup, problems: ProblemList): Promise<Pick<Project, 'services' | 'inactive'>> {
  const active = new Set((lookup('COMPOSE_PROFILES') ?? '').split(',').map((profile) => profile.trim()));
  const services = new Map<string, Field>();
  const inactive = new Set<string>();
  for (const [name, field] of sectionOf(root, 'services', problems)) {
    if (!/^[a-zA-Z0-9._-]+$/.test(name)) problems.fault(field, `${quoted(name)} is no name of a service`, 'use letters, digits, ".", "_" and "-"', true);
    const whole = (await problems.attemptAsync(field, () => extended(name, field, root, readOther, problems))) ?? field;
    // It stands where the file itself has it, whatever another file says over it.
    const service = new Field(whole.value, own.get('services')?.get(name) ?? whole);
    const profiles = service.get('profiles');
    const names = profiles === undefined ? [] : (problems.attempt(profiles, () => itemsOf(profiles).map(textOf)) ?? []);
    if (names.length === 0 || active.has('*') || names.some((profile) => active.has(profile))) services.set(name, service);
    else inactive.add(name);
  }
  return { services, inactive };
}

/** The networks of the file; `default` without being named where a service names none. */
function networksOf(root: Field, services: ReadonlyMap<string, Field>, problems: ProblemList): Map<string, Field> {
  const declared = new Map(sectionOf(root, 'networks', problems));
  const byDefault = [...services.values()].some((service) => {
    const networks = service.get('networks');
    if (networks === undefined) return service.get('network_mode') === undefined;
    return isMap(networks) ? networks.value.has('default') : isList(networks) && networks.value.some(({ value }) => value === 'default');
  });
  if (byDefault && !declared.has('default')) declared.set('default', (root.get('services') ?? root).with(null));
  return declared;
}

/** As compose has it, a network or volume that no service has is not made. */
function used(documents: readonly ParsedDocument[], containers: readonly ParsedDocument[]): ParsedDocument[] {
  const names = new Set(
    containers.flatMap(({ resource }) => {
      if (resource.kind !== 'Container') return [];
      const { network, mounts } = resource.spec;
      return [...network.networks.map(({ name }) => `Network ${name}`), ...mounts.map(({ volume }) => `Volume ${volume?.name ?? ''}`)];
    }),
  );
  return documents.filter(({ resource }) => names.has(`${resource.kind} ${resource.metadata.name}`));
}

function sectionOf(root: Field, section: string, problems: ProblemList): (readonly [string, Field])[] {
  const field = root.get(section);
  return field === undefined ? [] : [...(problems.attempt(field, () => entriesOf(field)) ?? [])].filter(([key]) => !key.startsWith('x-'));
}
