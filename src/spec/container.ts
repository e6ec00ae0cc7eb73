import { z } from 'zod';
import { quoted } from '../lib/text.ts';
import { CAPABILITY_MAX_LENGTH, CAPABILITY_PATTERN, CAPABILITY_UPPER_PATTERN, canonicalCapability } from './capability.ts';
import { buildSchema } from './build.ts';
import { checkedBy, foundBy } from './check.ts';
import { networkSchema } from './container-network.ts';
import { envFromSchema, envVarSchema } from './env.ts';
import { grammarString, kernelText } from './grammar.ts';
import { healthcheckSchema } from './healthcheck.ts';
import { driftSchema } from './drift.ts';
import { dependsOnSchema } from './depends-on.ts';
import { deviceCgroupRulesSchema, devicesSchema } from './device.ts';
import { imagePullSecretsSchema, imageUpdatePolicySchema, unfollowable } from './image-update.ts';
import { IMAGE_MAX_LENGTH, IMAGE_PATTERN, parseImageReference } from './image-reference.ts';
import { HOST_NAME } from './kubernetes-names.ts';
import { objectMetaSchema } from './metadata.ts';
import { loggingSchema } from './logging.ts';
import { mountSchema } from './mount.ts';
import { joinedContainer, namespacesSchema } from './namespaces.ts';
import { pathField } from './path-field.ts';
import { portsSchema } from './port.ts';
import { livenessProbeSchema, REACHABLE_PROBES, readinessProbeSchema, startupProbeSchema, unreachableProbes } from './probe.ts';
import { repeated } from './repeated.ts';
import { resourcesSchema, shmSizeSchema } from './resources.ts';
import { restartBackoffSchema } from './restart-backoff.ts';
import { seccompProfileSchema } from './seccomp.ts';
import { canonicalSignal, SIGNAL_MAX_LENGTH, SIGNAL_PATTERN, SIGNAL_UPPER_PATTERN } from './signal.ts';
import { foreignSysctls, sysctlsSchema } from './sysctl.ts';
import { ulimitsSchema } from './ulimit.ts';
import { parseUser, PRINCIPAL_PATTERN, USER_MAX_LENGTH, USER_PATTERN } from './user.ts';

export const API_VERSION = 'mooring.dev/v1alpha1';

const ATOMIC = { 'x-kubernetes-list-type': 'atomic' };

const imageSchema = z
  .string()
  .max(IMAGE_MAX_LENGTH)
  .check(
    checkedBy((text) => {
      parseImageReference(text);
      return text;
    }),
  )
  .meta({
    pattern: IMAGE_PATTERN.source,
    'x-kubernetes-validations': [{ rule: "!self.matches('^[a-f0-9]{64}$')", message: 'must name a repository, not an image id' }],
    description: 'The image, as `docker run` takes it: `redis`, `registry.example:5000/team/app:1.2`, `app@sha256:…`. Without a registry `docker.io` is meant, without a tag and a digest `latest`.',
  });

const argumentsSchema = z.array(kernelText()).max(1024);

const capabilityList = (description: string) =>
  z
    .array(
      z
        .string()
        .max(CAPABILITY_MAX_LENGTH)
        .check(checkedBy(canonicalCapability))
        .meta({
          pattern: CAPABILITY_PATTERN.source,
          'x-kubernetes-validations': [{ rule: `self.upperAscii().matches('${CAPABILITY_UPPER_PATTERN}')`, message: 'must be a capability such as NET_ADMIN, or ALL' }],
        }),
    )
    .max(64)
    .meta({ description, ...ATOMIC })
    .default([]);

const BARE_NAME = (variable: string) => `${variable}.upperAscii().replace('CAP_', '')`;
const NOT_BOTH = `!has(self.add) || !has(self.drop) || self.add.all(a, self.drop.all(d, ${BARE_NAME('a')} != ${BARE_NAME('d')}))`;

const capabilitiesSchema = z
  .strictObject({
    add: capabilityList('Capabilities to have beyond the default ones: `NET_ADMIN`, with or without `CAP_`, in any case; `ALL` for all.'),
    drop: capabilityList('Default capabilities to do without; `ALL` drops all but those in `add`.'),
  })
  .check(
    foundBy((capabilities) => {
      const added = new Set(capabilities.add);
      return capabilities.drop.flatMap((name, index) => (added.has(name) ? [{ path: ['drop', index], message: `${quoted(name)} is in add, too` }] : []));
    }),
  )
  .meta({
    description: 'Changes to the default set of Linux capabilities, see capabilities(7).',
    'x-kubernetes-validations': [{ rule: NOT_BOTH, message: 'a capability must not be both added and dropped' }],
  });

const pathList = (description: string) => z.array(pathField()).max(256).meta({ description, ...ATOMIC }).optional();

const containerSpecFields = z.strictObject({
  image: imageSchema,
  imagePullPolicy: z
    .enum(['Always', 'IfNotPresent', 'Never'])
    .meta({
      description:
        '`Always`: fetch the image anew whenever the container is created. `IfNotPresent`: only if the node lacks it. `Never`: use what the node has. Without it, `Always` for the tag `latest`, else `IfNotPresent`. Images of `mooring.local` are never fetched.',
    })
    .optional(),
  imagePullSecrets: imagePullSecretsSchema.check(foundBy((secrets) => repeated(secrets, ({ name }) => name, 'name'))).default([]),
  imageUpdatePolicy: imageUpdatePolicySchema.optional(),
  build: buildSchema.optional(),
  command: argumentsSchema.meta({ description: "The program and its first arguments, in place of the image's entrypoint. No shell is involved and nothing is expanded.", ...ATOMIC }).optional(),
  args: argumentsSchema.meta({ description: "Arguments behind `command`, or behind the image's entrypoint in place of the image's own.", ...ATOMIC }).optional(),
  env: z
    .array(envVarSchema)
    .max(1024)
    .check(foundBy((env) => repeated(env, (variable) => variable.name, 'name')))
    .meta({ description: "Environment variables, over those of the image.", 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['name'] })
    .default([]),
  envFrom: envFromSchema.default([]),
  workingDir: pathField().meta({ description: "The folder to start in, an absolute path; made if it is missing. Without it, the image's." }).optional(),
  user: z
    .string()
    .max(USER_MAX_LENGTH)
    .check(
      checkedBy((text) => {
        parseUser(text);
        return text;
      }),
    )
    .meta({ pattern: USER_PATTERN.source, description: 'Who to run as: `uid`, `uid:gid`, `name` or `name:group`; names are looked up in the container. Put a number in quotes: `"1000"`. Without it, the image\'s user.' })
    .optional(),
  supplementalGroups: z
    .array(grammarString({ pattern: PRINCIPAL_PATTERN, maxLength: 256, what: 'a group: an id or a name' }))
    .max(64)
    .meta({ description: 'Further groups to be in, each an id in quotes or a name that is looked up in the container.', ...ATOMIC })
    .default([]),
  umask: grammarString({ pattern: /^[0-7]{3,4}$/, maxLength: 4, what: 'a umask: three or four octal digits' })
    .meta({ description: 'The permissions that new files are to be without, in octal and in quotes.' })
    .default('0022'),
  hostname: grammarString({ ...HOST_NAME, maxLength: 64 }).meta({ description: "The container's host name, at most 64 characters. Without it, what `hostnameFrom` says." }).optional(),
  hostnameFrom: z
    .enum(['Name', 'ID'])
    .meta({ description: 'Its host name without `hostname`. `Name`: `metadata.name`, as far as it fits. `ID`: the first twelve digits of its ID, as Docker has it.' })
    .default('Name'),
  domainname: grammarString({ ...HOST_NAME, maxLength: 64 }).meta({ description: 'Its NIS domain name, as domainname(1) shows it, at most 64 characters.' }).optional(),
  tty: z.boolean().meta({ description: 'Give the container a terminal; its standard error then arrives on standard output.' }).default(false),
  stdin: z
    .boolean()
    .meta({ description: 'Keep standard input open for clients that attach, such as `mooring attach`. Without it, a read from standard input meets the end of file.' })
    .default(false),
  stdinOnce: z
    .boolean()
    .meta({ description: 'With `stdin`: the first attached client that writes is the last; when it has no more, standard input ends. Without it, standard input never ends.' })
    .default(false),
  init: z
    .boolean()
    .meta({ description: "Run the program as the child of a small init, which takes away processes that ended as orphans and passes signals on. For programs that do not expect to be a container's first process." })
    .default(false),
  logging: loggingSchema.prefault({}),
  mounts: z
    .array(mountSchema)
    .max(256)
    .check(foundBy((mounts) => repeated(mounts, (mount) => mount.mountPath, 'mountPath')))
    .meta({ description: 'Files and folders of the node, or memory, to show in the container.', 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['mountPath'] })
    .default([]),
  ports: portsSchema,
  resources: resourcesSchema.meta({ description: 'Limits of what the container may use.' }).prefault({}),
  restartPolicy: z
    .enum(['Always', 'OnFailure', 'Never'])
    .meta({ description: '`Always`: run it again whenever it ends. `OnFailure`: only after an exit status other than 0. `Never`: let it end.' })
    .default('Always'),
  restartBackoff: restartBackoffSchema.prefault({}),
  drift: driftSchema.prefault({}),
  dependsOn: dependsOnSchema.default([]),
  startupProbe: startupProbeSchema.optional(),
  readinessProbe: readinessProbeSchema.optional(),
  livenessProbe: livenessProbeSchema.optional(),
  healthcheck: healthcheckSchema.optional(),
  stopSignal: z
    .string()
    .max(SIGNAL_MAX_LENGTH)
    .check(checkedBy(canonicalSignal))
    .meta({
      pattern: SIGNAL_PATTERN.source,
      description: 'The signal that asks the container to end: `SIGTERM`, `TERM`, `"15"`, `SIGRTMIN+3`.',
      'x-kubernetes-validations': [{ rule: `self.upperAscii().matches('${SIGNAL_UPPER_PATTERN}')`, message: 'must be a signal such as SIGTERM, TERM, 15 or SIGRTMIN+3' }],
    })
    .default('SIGTERM'),
  stopTimeoutSeconds: z.int().min(0).max(86_400).meta({ description: 'Seconds between `stopSignal` and SIGKILL.' }).default(10),
  readOnlyRootFilesystem: z.boolean().meta({ description: 'Refuse writes outside of mounts.' }).default(false),
  capabilities: capabilitiesSchema.prefault({}),
  privileged: z.boolean().meta({ description: 'All capabilities, all devices, no seccomp filter, nothing masked: as good as root on the node.' }).default(false),
  noNewPrivileges: z
    .boolean()
    .meta({ description: 'Let no program, such as `sudo`, have more privileges than the one that starts it (set-user-id bits and file capabilities say nothing). Without it, true unless `privileged`.' })
    .optional(),
  devices: devicesSchema.default([]),
  deviceCgroupRules: deviceCgroupRulesSchema.default([]),
  namespaces: namespacesSchema.prefault({}),
  seccompProfile: seccompProfileSchema.prefault({}),
  appArmorProfile: grammarString({ pattern: /^[!-~]+$/, maxLength: 512, what: 'the name of an AppArmor profile' })
    .meta({ description: "The AppArmor profile of its processes, which must be loaded on the node; `unconfined` for none. Without it, the daemon's." })
    .optional(),
  maskedPaths: pathList("Files and folders of the kernel that the container sees empty, in place of the usual ones (`/proc/kcore`, `/sys/firmware`, …); `[]` for none."),
  readonlyPaths: pathList('Files and folders of the kernel that the container can not change, in place of the usual ones (`/proc/sys`, `/proc/sysrq-trigger`, …); `[]` for none.'),
  sysctls: sysctlsSchema.default([]),
  ulimits: ulimitsSchema.default([]),
  oomScoreAdj: z
    .int()
    .min(-1000)
    .max(1000)
    .meta({ description: "Whom the kernel ends first when the node runs out of memory: the higher, the sooner; -1000 never. Below the daemon's own it wants CAP_SYS_RESOURCE there." })
    .default(0),
  shmSize: shmSizeSchema.default('64Mi'),
  network: networkSchema.prefault({}),
  pause: z.boolean().meta({ description: 'Have every process of the container stand still where it is, by the freezer of its cgroup, until it is set to `false`; memory and connections stay. A stop lets it run on.' }).default(false),
  autoRemove: z
    .boolean()
    .meta({ description: 'Remove the container, and the volumes that are its own, once it has ended for good. Only for one that is made on request (`docker run --rm`): a file, or an object of a cluster, wants its container for as long as it is there.' })
    .default(false),
  suspend: z.boolean().meta({ description: 'Stop the container and keep it stopped, without forgetting it.' }).default(false),
});

const PUBLISHED_ON_BRIDGE = "!has(self.ports) || self.ports.all(port, !has(port.hostPort)) || (has(self.network) && has(self.network.mode) && self.network.mode == 'Bridge')";

const OWN_NETWORK_SETTINGS = "!has(self.sysctls) || self.sysctls.all(one, !one.name.startsWith('net')) || !has(self.network) || !has(self.network.mode) || !(self.network.mode in ['Host', 'Container'])";

const OWN_NAMES = "!has(self.namespaces) || !has(self.namespaces.uts) || self.namespaces.uts == 'Private' || (!has(self.hostname) && !has(self.domainname))";

export const containerSpecSchema = containerSpecFields
  .check(
    foundBy(({ ports, network: { mode } }) =>
      ports.flatMap(({ hostPort }, index) => {
        if (hostPort === undefined || mode === 'Bridge') return [];
        const fix = mode === 'Host' ? "leave it out: in the node's own network containerPort is the node's port" : mode === 'Container' ? 'publish it from the container whose network it shares' : 'set network.mode to Bridge';
        return [{ path: ['ports', index, 'hostPort'], message: `a port can't be published from network mode ${mode}`, fix }];
      }),
    ),
    foundBy(({ sysctls, network: { mode, container }, namespaces: { ipc } }) => {
      const owner = (host: boolean, name: string | undefined) => (host ? 'the node' : name === undefined ? undefined : `container ${name}`);
      return foreignSysctls(sysctls, { network: owner(mode === 'Host', container), ipc: owner(ipc === 'Host', joinedContainer(ipc)) });
    }),
    foundBy(({ hostname, domainname, namespaces: { uts } }) =>
      Object.entries({ hostname, domainname }).flatMap(([field, given]) => (uts === 'Host' && given !== undefined ? [{ path: [field], message: 'would rename the node, whose names it shares', fix: 'leave it out, or set namespaces.uts to Private' }] : [])),
    ),
    foundBy((spec) => (spec.network.mode === 'None' ? unreachableProbes(spec) : [])),
    foundBy(({ image, imageUpdatePolicy }) => {
      const why = imageUpdatePolicy === undefined ? undefined : unfollowable(image);
      return why === undefined ? [] : [{ path: ['imageUpdatePolicy'], ...why }];
    }),
    foundBy(({ image, build, imageUpdatePolicy }) => {
      if (build === undefined) return [];
      if (image.includes('@')) return [{ path: ['image'], message: 'an image that is built here has no digest before it is built', fix: 'write repository:tag' }];
      return imageUpdatePolicy === undefined ? [] : [{ path: ['imageUpdatePolicy'], message: 'what is built here is not followed in a registry', fix: 'leave out imageUpdatePolicy or build' }];
    }),
  )
  .meta({
    'x-kubernetes-validations': [
      { rule: PUBLISHED_ON_BRIDGE, message: 'hostPort wants network.mode Bridge' },
      { rule: OWN_NAMES, message: 'hostname and domainname want namespaces.uts Private' },
      ...REACHABLE_PROBES,
      { rule: OWN_NETWORK_SETTINGS, message: 'sysctls of net want a network of the container itself' },
      { rule: "!has(self.imageUpdatePolicy) || !self.image.contains('@')", message: 'imageUpdatePolicy wants an image without a digest' },
      { rule: "!has(self.build) || (!self.image.contains('@') && !has(self.imageUpdatePolicy))", message: 'build wants an image without a digest, and no imageUpdatePolicy' },
    ],
  });

export const containerSchema = z.strictObject({
  apiVersion: z.literal(API_VERSION).meta({ description: 'Always `mooring.dev/v1alpha1`.' }),
  kind: z.literal('Container').meta({ description: 'Always `Container`.' }),
  metadata: objectMetaSchema.meta({ description: 'Identity, labels and annotations.' }),
  spec: containerSpecSchema.meta({ description: 'What should run.' }),
});

/** A validated and defaulted `Container` document, without status. Signals and capabilities are in canonical form (`SIGTERM`, `CAP_CHOWN`). */
export type Container = z.output<typeof containerSchema>;
export type ContainerSpec = z.output<typeof containerSpecSchema>;
