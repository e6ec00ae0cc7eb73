import type { ContainerList, ContainerObject } from '../api/v1/types.ts';
import { MooringError } from '../lib/errors.ts';
import type { Client } from './client.ts';
import { containerPath, parseName } from './name.ts';

/** Where the name that Docker's clients know a container by is kept, if it is another. */
const DOCKER_NAME = 'docker.mooring.dev/name';
const ID = /^[0-9a-f]{1,64}$/;

/** The container that a word of the command line names: NAME, container/NAME, NAMESPACE/NAME, and, as Docker has it, an ID, the beginning of one, or its Docker name. Throws `NotFound`, and `Invalid` for a beginning of several. */
export async function findContainer(client: Client, word: string, namespace: string): Promise<ContainerObject> {
  const name = parseName(word, namespace);
  try {
    return await client.get<ContainerObject>(containerPath(name));
  } catch (error) {
    if (!(error instanceof MooringError) || error.code !== 'NotFound') throw error;
    const { items } = await client.get<ContainerList>('/v1/containers');
    const called = items.find(({ metadata }) => metadata.annotations[DOCKER_NAME] === word);
    if (called !== undefined) return called;
    const [found, ...others] = ID.test(word) ? items.filter(({ status }) => status.containerID?.startsWith(word) === true) : [];
    if (others.length > 0) throw new MooringError('Invalid', `${word} is the beginning of several IDs`, { fix: 'give more of it' });
    if (found === undefined) throw error;
    return found;
  }
}

/** The API's path of the container that a word names. */
export async function pathOfContainer(client: Client, word: string, namespace: string): Promise<string> {
  return containerPath((await findContainer(client, word, namespace)).metadata);
}
