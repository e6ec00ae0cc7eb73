/** ConfigMaps and Secrets as they go over the wire of the v1 API, shared by the server and the command. */
import type { ConfigMap } from '../../spec/config-map.ts';
import type { Secret } from '../../spec/secret.ts';

interface Standing {
  readonly status: {
    /** `namespace/name` of the containers that name it. */
    readonly containers: readonly string[];
  };
}

export interface ConfigMapObject extends Omit<ConfigMap, 'metadata'>, Standing {
  readonly metadata: ConfigMap['metadata'] & { readonly generation: number };
}

/** With its values, in base64: whoever reaches this API is root. */
export interface SecretObject extends Omit<Secret, 'metadata' | 'stringData'>, Standing {
  readonly metadata: Secret['metadata'] & { readonly generation: number };
}

export type ConfigObject = ConfigMapObject | SecretObject;

export interface ConfigList {
  readonly apiVersion: 'v1';
  readonly kind: 'ConfigMapList' | 'SecretList';
  readonly items: readonly ConfigObject[];
}
