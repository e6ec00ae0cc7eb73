import { createHash } from 'node:crypto';
import { DEFAULT_NETWORK_NAME } from '../../spec/container-network.ts';
import { DNS_LABEL, DNS_SUBDOMAIN } from '../../spec/kubernetes-names.ts';
import { DockerError } from './error-reply.ts';

/** What the engine takes for a name of a container, a network or a volume. */
const DOCKER_NAME = /^[a-zA-Z0-9][a-zA-Z0-9_.-]*$/;

/** Throws 400 in the engine's words. */
export function checkName(name: string, what: string): string {
  if (DOCKER_NAME.test(name) && name.length <= 255) return name;
  throw new DockerError(400, `${what} name ${JSON.stringify(name)} includes invalid characters or is too long: only "[a-zA-Z0-9][a-zA-Z0-9_.-]" is allowed, up to 255 characters`);
}

/** `metadata.name` for a name of Docker's: the same where it can be one, else made of it, always in the same way. Containers' names are a DNS label. */
export function resourceNameFor(dockerName: string): string {
  const isName = dockerName.length <= 63 && dockerName !== DEFAULT_NETWORK_NAME && DNS_LABEL.pattern.test(dockerName) && DNS_SUBDOMAIN.pattern.test(dockerName);
  if (isName) return dockerName;
  const slug = dockerName
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '')
    .slice(0, 50)
    .replace(/-+$/, '');
  const hash = createHash('sha256').update(dockerName).digest('hex').slice(0, 8);
  return slug === '' ? `n-${hash}` : `${slug}-${hash}`;
}

/** Labels of any text, as JSON; those of a resource are narrower. */
export const DOCKER_LABELS_ANNOTATION = 'docker.mooring.dev/labels';
/** On a volume that was made for a container without a name of its own. */
export const ANONYMOUS_ANNOTATION = 'docker.mooring.dev/anonymous';
