/** A login for a registry. An identity token is what a token server gave in place of a password; it is only ever sent there. */
export type Credentials = { readonly username: string; readonly password: string } | { readonly identityToken: string; readonly username?: string };

/** What is known for a registry (`docker.io`, `host:port`); undefined where nothing is, so that it is asked without a login. */
export type CredentialFinder = (registry: string) => Promise<Credentials | undefined>;

/** Asks each in turn until one knows. */
export function firstCredentials(...finders: readonly (CredentialFinder | undefined)[]): CredentialFinder {
  return async (registry) => {
    for (const find of finders) {
      const found = await find?.(registry);
      if (found) return found;
    }
    return undefined;
  };
}
