import { DockerError } from './error-reply.ts';

/** Minor numbers of API version 1: what is served, at least and at most. */
export const LEAST_VERSION = 24;
export const NEWEST_VERSION = 41;

/** `1.41`. */
export function versionText(minor: number): string {
  return `1.${minor}`;
}

/** Splits `/v1.41/containers/json`. A path without a version is one of the newest. Throws where that version is not served. */
export function splitVersion(pathname: string): { readonly version: number; readonly path: string } {
  const match = /^\/v(\d+)\.(\d+)(\/.*)$/.exec(pathname);
  if (match === null) return { version: NEWEST_VERSION, path: pathname };
  const [, major = '', minor = '', path = '/'] = match;
  const said = `${major}.${minor}`;
  if (Number(major) > 1 || (Number(major) === 1 && Number(minor) > NEWEST_VERSION)) {
    throw new DockerError(400, `client version ${said} is too new. Maximum supported API version is ${versionText(NEWEST_VERSION)}`);
  }
  if (Number(major) < 1 || Number(minor) < LEAST_VERSION) {
    throw new DockerError(400, `client version ${said} is too old. Minimum supported API version is ${versionText(LEAST_VERSION)}, please upgrade your client to a newer version`);
  }
  return { version: Number(minor), path };
}
