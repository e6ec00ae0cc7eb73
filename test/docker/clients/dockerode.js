// A developer's session with dockerode; says what it saw as one line of JSON. Arguments: socket, image.
import { buffer } from 'node:stream/consumers';
import { PassThrough } from 'node:stream';
import Docker from 'dockerode';

const [socketPath, image] = process.argv.slice(2);
const docker = new Docker({ socketPath });
const seen = {};

seen.ping = (await docker.ping()).toString();
const container = await docker.createContainer({ Image: image, name: 'rode', Cmd: ['sh', '-c', 'echo begun; exec sleep 1000'], Labels: { by: 'dockerode' }, StopTimeout: 0 });
await container.start();
seen.listed = (await docker.listContainers({ filters: { label: ['by=dockerode'] } })).map(({ Names, State }) => [Names[0], State]);
seen.running = (await container.inspect()).State.Running;

const log = await container.logs({ stdout: true, stderr: true, follow: true });
seen.log = await new Promise((resolve, reject) => {
  const out = new PassThrough();
  docker.modem.demuxStream(log, out, out);
  out.once('data', (piece) => resolve(piece.toString()));
  log.once('error', reject);
});
log.destroy();

const exec = await container.exec({ Cmd: ['sh', '-c', 'cat; echo err >&2; exit 3'], AttachStdin: true, AttachStdout: true, AttachStderr: true });
const stream = await exec.start({ hijack: true, stdin: true });
const [out, err] = [new PassThrough(), new PassThrough()];
docker.modem.demuxStream(stream, out, err);
stream.once('end', () => [out, err].forEach((each) => each.end()));
stream.end('typed in');
const [stdout, stderr] = await Promise.all([out, err].map((each) => buffer(each)));
seen.exec = [stdout.toString(), stderr.toString(), (await exec.inspect()).ExitCode];

const waited = container.wait();
await container.stop({ t: 0 });
seen.waited = (await waited).StatusCode;
await container.remove();
seen.gone = await container.inspect().then(() => 'it is there', ({ statusCode }) => statusCode);

const output = new PassThrough();
const whole = buffer(output);
const [{ StatusCode }] = await docker.run(image, ['sh', '-c', 'echo in one go; exit 4'], output, { HostConfig: { AutoRemove: true } });
output.end();
seen.run = [(await whole).toString().replace('\r', ''), StatusCode];
console.log(JSON.stringify(seen));
