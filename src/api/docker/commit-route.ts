import { z } from 'zod';
import { sendJson } from '../reply.ts';
import { type DockerCall, readJson } from './call.ts';
import { dockerNameOf, findContainer } from './container-lookup.ts';
import type { DockerServices } from './docker-services.ts';
import { joinReference, keepingUntagged, namelessName, sought } from './image-names.ts';
import type { DockerRoute } from './route.ts';

export const commitRoutes: readonly DockerRoute[] = [{ method: 'POST', path: '/commit', handle: commit }];

const words = z.union([z.array(z.string()), z.string().transform((word) => [word])]).nullish();
const keys = z.record(z.string(), z.unknown()).nullish();
/** What a client says of the new image's containers. What it leaves empty is as the container has it. */
const configSchema = z
  .looseObject({ User: z.string().nullish(), Env: words, Cmd: words, Entrypoint: words, WorkingDir: z.string().nullish(), Labels: z.record(z.string(), z.string()).nullish(), ExposedPorts: keys, Volumes: keys, StopSignal: z.string().nullish(), OnBuild: words })
  .nullable();

async function commit(call: DockerCall, services: DockerServices): Promise<void> {
  const { query } = call;
  const config = await readJson(call, configSchema);
  const { id, view } = findContainer(services, query.required('container'));
  const repository = query.text('repo');
  const name = repository === undefined ? namelessName() : joinReference(repository, query.text('tag'));
  const [author, message] = [query.text('author'), query.text('comment')];
  const image = await keepingUntagged(services.images, [name], () =>
    services.files.commit(id, {
      name,
      changes: [...instructionsOf(config ?? {}), ...query.all('changes')],
      pause: query.flag('pause', true),
      signal: call.signal,
      ...(author !== undefined && { author }),
      ...(message !== undefined && { message }),
    }),
  );
  if (repository !== undefined) services.told.image('tag', image.id, sought(name));
  services.told.container('commit', id, { ...view.container.metadata.labels, comment: message ?? '', image: view.container.spec.image, imageID: image.id, imageRef: repository === undefined ? '' : name, name: dockerNameOf(view.container) });
  sendJson(call, { Id: image.id }, 201);
}

/** The same said as instructions of a Dockerfile. */
function instructionsOf({ User, Env, Cmd, Entrypoint, WorkingDir, Labels, ExposedPorts, Volumes, StopSignal, OnBuild }: NonNullable<z.output<typeof configSchema>>): string[] {
  const said = (keyword: string, value: string | null | undefined): string[] => (value === undefined || value === null || value === '' ? [] : [`${keyword} ${value}`]);
  const list = (keyword: string, value: readonly string[] | null | undefined): string[] => (value === undefined || value === null || value.length === 0 ? [] : [`${keyword} ${JSON.stringify(value)}`]);
  return [
    ...said('USER', User),
    ...(Env ?? []).map((entry) => `ENV ${pair(entry.slice(0, entry.indexOf('=')), entry.slice(entry.indexOf('=') + 1))}`),
    ...list('CMD', Cmd),
    ...list('ENTRYPOINT', Entrypoint),
    ...said('WORKDIR', WorkingDir),
    ...Object.entries(Labels ?? {}).map(([key, value]) => `LABEL ${pair(quote(key), value)}`),
    ...said('EXPOSE', Object.keys(ExposedPorts ?? {}).join(' ')),
    ...list('VOLUME', Object.keys(Volumes ?? {})),
    ...said('STOPSIGNAL', StopSignal),
    ...(OnBuild ?? []).map((instruction) => `ONBUILD ${instruction}`),
  ];
}

function pair(key: string, value: string): string {
  return `${key}=${quote(value)}`;
}

/** Nothing in it is a variable, nor the end of the text. */
function quote(value: string): string {
  return `"${value.replace(/[\\"$]/g, '\\$&')}"`;
}
