import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { type CompareOptions, onBothEngines } from './support/two-engines.ts';

type Step = readonly [args: readonly string[], options?: CompareOptions];

const DOCKERFILE = `FROM busybox AS base
ARG X=1
ENV A=b
RUN echo "x is $X, a is $A"; echo to-stderr >&2
FROM base
COPY . /ctx
WORKDIR /ctx
RUN ls /ctx
LABEL q=r
USER 1000:1000
EXPOSE 80
VOLUME /data
ENTRYPOINT ["cat"]
CMD ["a.txt"]
`;

/** What a command writes on standard error is in red. */
const [RED, PLAIN] = ['\u001B[91m', '\u001B[0m'] as const;

/** Docker's classic builder makes an image and a container of each step, and tells of them; Mooring makes none (docs/docker-api.md). The machine's docker warns of the builder. */
const steps = (text: string): string =>
  text
    .replaceAll(RED, '')
    .replaceAll(PLAIN, '')
    .replace(/^ ?---> .*\n/gm, '')
    .replace(/^Removing intermediate container .*\n/gm, '')
    .replace(/^(DEPRECATED|Install the buildx|BuildKit is|environment-variable|https:\/\/docs| +).*\n/gm, '')
    .replace(/^Sending build context to Docker daemon +[^\n]*\r/gm, '')
    .replace(/^\n/gm, '');
const built = { also: steps, anyOrder: true } as const;

test('classic builds, as dockerd tells of them', onBothEngines(async (engines) => {
  const root = await mkdtemp(join(tmpdir(), 'mooring-context-'));
  const folder = async (name: string, files: Readonly<Record<string, string>>): Promise<string> => {
    const at = join(root, name);
    await mkdir(at);
    for (const [file, content] of Object.entries(files)) await writeFile(join(at, file), content);
    return at;
  };
  try {
    const context = await folder('whole', { Dockerfile: DOCKERFILE, 'a.txt': 'from a\n', 'b.txt': 'b', '.dockerignore': 'b.txt\n' });
    const other = await folder('other', { 'Other.df': 'FROM busybox\nRUN echo other\n' });
    const build = (args: readonly string[], options: CompareOptions = built): Step => [['build', ...args], options];
    const all: Step[] = [
      build(['-t', 'built:1', '-t', 'built:again', '--build-arg', 'X=5', context]),
      build(['-t', 'built:1', '--build-arg', 'X=5', context]),
      [['run', '--rm', 'built:1']],
      [['inspect', '-f', '{{json .Config.Labels}} {{.Config.User}} {{.Config.WorkingDir}} {{json .Config.Entrypoint}} {{json .Config.Cmd}} {{json .Config.ExposedPorts}} {{json .Config.Volumes}}', 'built:1']],
      [['images', '--format', '{{.Repository}}:{{.Tag}}', 'built'], { anyOrder: true }],
      build(['--target', 'base', '-t', 'base:1', context]),
      build(['--label', 'l=m', '-t', 'labelled:1', '-f', `${other}/Other.df`, other]),
      [['inspect', '-f', '{{json .Config.Labels}}', 'labelled:1']],
      build(['-q', other, '-f', `${other}/Other.df`]),
      build(['--no-cache', '-q', '-t', 'quiet:1', '-f', `${other}/Other.df`, other]),
      build(['-t', 'piped:1', '-'], { ...built, input: 'FROM busybox\nRUN echo piped\n' }),
      build(['-t', 'none:1', '--network', 'none', '-'], { ...built, input: 'FROM busybox\nRUN ls /sys/class/net\n' }),
      build(['-'], { ...built, input: 'FROM busybox\nRUN exit 4\n' }),
      build(['-'], { ...built, input: 'FROM busybox\nRUN ["false"]\n' }),
      build(['-'], { codeOnly: true, input: 'FROM busybox\nNOSUCH x\n' }),
      build(['-'], { codeOnly: true, input: 'RUN x\n' }),
      build(['-'], { codeOnly: true, input: '' }),
      build(['-'], { codeOnly: true, input: 'FROM busybox\nCOPY nosuch /\n' }),
      build(['--target', 'nosuch', '-'], { codeOnly: true, input: 'FROM busybox\n' }),
      build(['-t', 'BAD', '-'], { codeOnly: true, input: 'FROM busybox\n' }),
      build(['-'], { codeOnly: true, input: 'FROM 127.0.0.1:1/nosuch:1\n' }),
      build(['-f', 'nosuch', other], { codeOnly: true }),
      [['builder', 'prune', '-f'], { codeOnly: true }],
    ];
    for (const [args, options = {}] of all) await engines.same(args, options);
  } finally {
    await rm(root, { recursive: true });
  }
}));
