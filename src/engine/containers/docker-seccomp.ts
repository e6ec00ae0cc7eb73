import { z } from 'zod';
import { MooringError } from '../../lib/errors.ts';
import type { Seccomp, SyscallRule } from './runtime-spec.ts';

const condition = z.object({ caps: z.array(z.string()).nullish(), arches: z.array(z.string()).nullish(), minKernel: z.string().nullish() }).nullish();
const profileSchema = z.object({
  defaultAction: z.string(),
  defaultErrnoRet: z.int().min(0).nullish(),
  architectures: z.array(z.string()).nullish(),
  archMap: z.array(z.object({ architecture: z.string(), subArchitectures: z.array(z.string()).nullish() })).nullish(),
  flags: z.array(z.string()).nullish(),
  listenerPath: z.string().nullish(),
  listenerMetadata: z.string().nullish(),
  syscalls: z
    .array(
      z.object({
        name: z.string().nullish(),
        names: z.array(z.string()).nullish(),
        action: z.string(),
        errnoRet: z.int().min(0).nullish(),
        args: z.array(z.object({ index: z.int().min(0).max(5), value: z.number(), valueTwo: z.number().nullish(), op: z.string() })).nullish(),
        includes: condition,
        excludes: condition,
      }),
    )
    .nullish(),
});

type Condition = z.output<typeof condition>;

/** What a profile's conditions are about. */
export interface SeccompGround {
  /** With `CAP_`. */
  readonly capabilities: ReadonlySet<string>;
  /** As `process.arch` says it. */
  readonly arch: string;
  /** As uname(2) says it: `6.1.0-13-amd64`. */
  readonly kernelRelease: string;
}

/** Go's names and libseccomp's. */
const ARCHITECTURES: Readonly<Record<string, { readonly go: string; readonly seccomp: string }>> = {
  x64: { go: 'amd64', seccomp: 'SCMP_ARCH_X86_64' },
  arm64: { go: 'arm64', seccomp: 'SCMP_ARCH_AARCH64' },
};

/**
 * A seccomp profile in Docker's format (docs.docker.com, "Seccomp security profiles") as the OCI runtime spec has it: rules whose conditions this ground does not
 * meet are left out. Throws `Invalid`.
 * @param what The profile, for messages: `seccomp profile /etc/web.json`.
 */
export function dockerSeccomp(text: string, what: string, ground: SeccompGround): Seccomp {
  const { defaultAction, defaultErrnoRet, architectures, archMap, flags, listenerPath, listenerMetadata, syscalls } = parse(text, what);
  const arch = ARCHITECTURES[ground.arch];
  const mapped = archMap?.find(({ architecture }) => architecture === arch?.seccomp);
  const all = architectures ?? (mapped && [mapped.architecture, ...(mapped.subArchitectures ?? [])]);
  return {
    defaultAction,
    ...(typeof defaultErrnoRet === 'number' && { defaultErrnoRet }),
    ...(all?.length && { architectures: all }),
    ...(flags?.length && { flags }),
    ...(listenerPath && { listenerPath }),
    ...(listenerMetadata && { listenerMetadata }),
    syscalls: (syscalls ?? []).filter(({ includes, excludes }) => applies(includes, ground) && !isExcluded(excludes, ground)).flatMap((rule) => ruleOf(rule, what)),
  };
}

function parse(text: string, what: string): z.output<typeof profileSchema> {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new MooringError('Invalid', `${what} is not JSON`, { cause: error });
  }
  const result = profileSchema.safeParse(json);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw new MooringError('Invalid', `${what} is no seccomp profile: ${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}`);
}

function ruleOf({ name, names, action, errnoRet, args }: NonNullable<z.output<typeof profileSchema>['syscalls']>[number], what: string): SyscallRule[] {
  const calls = names?.length ? names : name ? [name] : [];
  if (name && names?.length) throw new MooringError('Invalid', `${what}: a rule has both name and names`);
  if (calls.length === 0) return [];
  return [
    {
      names: calls,
      action,
      ...(typeof errnoRet === 'number' && { errnoRet }),
      ...(args?.length && { args: args.map(({ index, value, valueTwo, op }) => ({ index, value, ...(typeof valueTwo === 'number' && { valueTwo }), op })) }),
    },
  ];
}

/** All that is listed must be the case. */
function applies(includes: Condition, ground: SeccompGround): boolean {
  const { caps, arches, minKernel } = includes ?? {};
  const go = ARCHITECTURES[ground.arch]?.go ?? ground.arch;
  return (caps ?? []).every((name) => ground.capabilities.has(name)) && (!arches?.length || arches.includes(go)) && (!minKernel || isAtLeast(ground.kernelRelease, minKernel));
}

/** Any that is listed is enough. */
function isExcluded(excludes: Condition, ground: SeccompGround): boolean {
  const { caps, arches, minKernel } = excludes ?? {};
  const go = ARCHITECTURES[ground.arch]?.go ?? ground.arch;
  return (caps ?? []).some((name) => ground.capabilities.has(name)) || (arches ?? []).includes(go) || (!!minKernel && isAtLeast(ground.kernelRelease, minKernel));
}

function isAtLeast(release: string, least: string): boolean {
  const [major = 0, minor = 0] = release.split(/[.-]/).map(Number);
  const [leastMajor = 0, leastMinor = 0] = least.split('.').map(Number);
  return major > leastMajor || (major === leastMajor && minor >= leastMinor);
}
