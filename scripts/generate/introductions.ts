import { WITHOUT_RECREATION } from '../../src/spec/hash.ts';
import { CLUSTER_METADATA } from '../../src/spec/metadata.ts';
import { NETWORK_IMMUTABLE } from '../../src/spec/network.ts';
import { MAX_FILE_BYTES } from '../../src/spec/source-text.ts';
import { VOLUME_IMMUTABLE } from '../../src/spec/volume.ts';
import { MAX_DOCUMENTS } from '../../src/spec/yaml-text.ts';

const words = (names: readonly string[]) => names.map((name) => `\`${name}\``).join(', ');

export const CONTAINER_PAGE = `<!-- Generated from src/spec by scripts/generate.ts; not to be edited. -->
# Container

A container that Mooring keeps as it is described: in a file of the specs directory, in a cluster, or given to \`mooring apply\`.

\`\`\`yaml
apiVersion: mooring.dev/v1alpha1
kind: Container
metadata:
  name: hello
spec:
  image: mooring.local/busybox:latest
  command: [sh, -c, "while :; do date; sleep 10; done"]
\`\`\`

## How files are read

- YAML 1.2 with its core schema, or JSON. \`yes\`, \`no\`, \`on\` and \`off\` are strings; write \`true\` and \`false\`.
- Several documents in one file are divided by \`---\`; empty ones are skipped. A \`v1\` \`List\`, as \`kubectl get -o yaml\` prints it, counts as its items.
- Anchors and aliases work. Merge keys (\`<<\`) and tags beyond \`!!str\`, \`!!int\`, \`!!float\`, \`!!bool\`, \`!!null\`, \`!!map\` and \`!!seq\` are refused.
- A field with nothing behind its colon, or \`null\`, is a field left out.
- Fields that are not listed here are mistakes, and so are repeated ones. What a cluster adds is accepted and ignored: \`status\`, and in
  \`metadata\` ${words(CLUSTER_METADATA)}.
- A file holds at most ${MAX_FILE_BYTES / 1024} KiB and ${MAX_DOCUMENTS} documents. It is UTF-8.
- A schema for editors is in \`schemas/container.schema.json\`: begin a file with
  \`# yaml-language-server: $schema=…/schemas/container.schema.json\`.

Quantities and durations follow the grammar of Kubernetes. A quantity is a number, alone or with a suffix: \`m\` for
thousandths, \`k M G T P E\` for powers of 1000, \`Ki Mi Gi Ti Pi Ei\` for powers of 1024, \`e3\` for a power of 10. A duration is a sequence of numbers with
units out of \`h m s ms us ns\`: \`1m30s\`, \`1.5h\`.

A change of ${words(WITHOUT_RECREATION.map((field) => `spec.${field}`))} or of the metadata takes effect on the container that is there.
A change of any other field makes a new container. Two ways of writing the same value, such as \`0.5\` and \`500m\`, are no change.

## Fields`;

export const NETWORK_PAGE = `<!-- Generated from src/spec by scripts/generate.ts; not to be edited. -->
# Network

A network of containers on the node: in a file of the specs directory, in a cluster, or given to \`mooring apply\` or \`mooring network create\`.
Containers name it in \`spec.network.networks\`. How files are read is told on the page of [Container](container.md).

\`\`\`yaml
apiVersion: mooring.dev/v1alpha1
kind: Network
metadata:
  name: back
spec:
  internal: true
\`\`\`

A network is there before the containers that name it are started, and for as long as one of them is connected. ${words(NETWORK_IMMUTABLE.map((field) => `spec.${field}`))}
can not be changed while it is there.

## Fields`;

export const VOLUME_PAGE = `<!-- Generated from src/spec by scripts/generate.ts; not to be edited. -->
# Volume

Data that outlives the containers that use it: in a file of the specs directory, in a cluster, or given to \`mooring apply\` or \`mooring volume create\`.
Containers name it in \`spec.mounts[].volume\`. How files are read is told on the page of [Container](container.md).

\`\`\`yaml
apiVersion: mooring.dev/v1alpha1
kind: Volume
metadata:
  name: data
\`\`\`

A volume is there before the containers that name it are started, and for as long as one of them has it. ${words(VOLUME_IMMUTABLE.map((field) => `spec.${field}`))} can not
be changed while its data is there.

## Fields`;

export const CONFIG_MAP_PAGE = `<!-- Generated from src/spec by scripts/generate.ts; not to be edited. -->
# ConfigMap

What containers are configured by, as Kubernetes has it: in a file of the specs directory, or given to \`mooring apply\`. Containers name it in
\`spec.env[].valueFrom\`, \`spec.envFrom\` and \`spec.mounts\`: see [ConfigMaps and Secrets](../config.md). How files are read is told on the page of [Container](container.md).

\`\`\`yaml
apiVersion: v1
kind: ConfigMap
metadata:
  name: web
data:
  greeting: hello
\`\`\`

## Fields`;

export const SECRET_PAGE = `<!-- Generated from src/spec by scripts/generate.ts; not to be edited. -->
# Secret

What containers are to know and nobody else, as Kubernetes has it: in a file of the specs directory, or given to \`mooring apply\`. Containers name it in
\`spec.env[].valueFrom\`, \`spec.envFrom\` and \`spec.mounts\`: see [ConfigMaps and Secrets](../config.md). How files are read is told on the page of [Container](container.md).

\`\`\`yaml
apiVersion: v1
kind: Secret
metadata:
  name: db
stringData:
  password: correct horse
\`\`\`

## Fields`;
