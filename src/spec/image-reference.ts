import { quoted } from '../lib/text.ts';
import { invalid } from './invalid.ts';

/** Where an image is, spelt out: Docker's short forms resolved. */
export interface ImageReference {
  /** Host and optional port: `docker.io`, `registry.example:5000`, `[::1]:5000`. */
  readonly registry: string;
  /** Path below the registry: `library/redis`. */
  readonly repository: string;
  /** `latest` when neither tag nor digest was written. */
  readonly tag?: string;
  /** `sha256:…`; it decides where a tag is there, too. */
  readonly digest?: string;
}

// The grammar of github.com/distribution/reference.
const DOMAIN_COMPONENT = '([a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])';
const DOMAIN = `(${DOMAIN_COMPONENT}([.]${DOMAIN_COMPONENT})*|\\[[a-fA-F0-9:]+\\])(:[0-9]+)?`;
const PATH_COMPONENT = '[a-z0-9]+(([.]|_|__|-+)[a-z0-9]+)*';
const PATH = `${PATH_COMPONENT}(/${PATH_COMPONENT})*`;
const TAG = '[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}';
const DIGEST = '(sha256:[a-f0-9]{64}|sha384:[a-f0-9]{96}|sha512:[a-f0-9]{128})';
const DOMAIN_ONLY = new RegExp(`^${DOMAIN}$`);
const PATH_ONLY = new RegExp(`^${PATH}$`);
const TAG_ONLY = new RegExp(`^${TAG}$`);
const DIGEST_ONLY = new RegExp(`^${DIGEST}$`);

export const IMAGE_PATTERN = new RegExp(`^(${DOMAIN}/)?${PATH}(:${TAG})?(@${DIGEST})?$`);
export const IMAGE_MAX_LENGTH = 512;
const NAME_MAX_LENGTH = 255;
/** The registry of short names, unless a node is told another. */
export const DEFAULT_REGISTRY = 'docker.io';

/** Parses what `docker run` takes: `redis`, `redis:7`, `mooring.local/busybox:latest`, `ghcr.io/a/b@sha256:…`. Throws `Invalid`. */
export function parseImageReference(text: string, defaultRegistry: string = DEFAULT_REGISTRY): ImageReference {
  if (text.length > IMAGE_MAX_LENGTH) throw refuse(text, `it is longer than ${IMAGE_MAX_LENGTH} characters`);
  if (/^[a-f0-9]{64}$/.test(text)) throw refuse(text, 'it reads as an image id', 'name a repository, with the digest behind "@sha256:"');
  const at = text.indexOf('@');
  const digest = at < 0 ? undefined : text.slice(at + 1);
  const named = at < 0 ? text : text.slice(0, at);
  const colon = named.lastIndexOf(':');
  const tagged = colon > named.lastIndexOf('/');
  const tag = tagged ? named.slice(colon + 1) : undefined;
  const { registry, repository } = splitName(tagged ? named.slice(0, colon) : named, defaultRegistry);

  if (!DOMAIN_ONLY.test(registry)) throw refuse(text, `${quoted(registry)} is not a registry's host`);
  if (repository === '') throw refuse(text, 'the repository is missing', 'write [registry/]repository[:tag][@digest]');
  if (!PATH_ONLY.test(repository)) {
    const lower = repository.toLowerCase();
    throw refuse(text, `${quoted(repository)} is not a repository`, PATH_ONLY.test(lower) ? `write it in lower case: ${lower}` : undefined);
  }
  if (registry.length + 1 + repository.length > NAME_MAX_LENGTH) throw refuse(text, `its name is longer than ${NAME_MAX_LENGTH} characters`);
  if (tag !== undefined && !TAG_ONLY.test(tag)) throw refuse(text, `${quoted(tag)} is not a tag`, 'a tag has up to 128 letters, digits, "_", "." and "-", and begins with none of the last two');
  if (digest !== undefined && !DIGEST_ONLY.test(digest)) throw refuse(text, `${quoted(digest)} is not a digest`, 'write sha256: and 64 lower-case hexadecimal digits');
  return {
    registry,
    repository,
    ...(tag !== undefined ? { tag } : digest === undefined ? { tag: 'latest' } : {}),
    ...(digest === undefined ? {} : { digest }),
  };
}

/** The one text of a reference: `docker.io/library/redis:latest`. */
export function formatImageReference({ registry, repository, tag, digest }: ImageReference): string {
  return `${registry}/${repository}${tag === undefined ? '' : `:${tag}`}${digest === undefined ? '' : `@${digest}`}`;
}

/** Docker's rule: what stands before the first slash is a host if it could not be a Docker Hub user's name. */
function splitName(name: string, defaultRegistry: string): { registry: string; repository: string } {
  const slash = name.indexOf('/');
  const first = name.slice(0, Math.max(slash, 0));
  const isHost = slash > 0 && (/[.:]/.test(first) || first === 'localhost' || first !== first.toLowerCase());
  const registry = !isHost ? defaultRegistry : first === 'index.docker.io' ? DEFAULT_REGISTRY : first;
  const path = isHost ? name.slice(slash + 1) : name;
  return { registry, repository: registry === DEFAULT_REGISTRY && path !== '' && !path.includes('/') ? `library/${path}` : path };
}

function refuse(text: string, why: string, fix?: string): Error {
  return invalid(`${quoted(text)} is not an image reference: ${why}`, fix);
}

/** Whether it is a registry's host, with or without a port. */
export function isRegistryHost(text: string): boolean {
  return DOMAIN_ONLY.test(text);
}
