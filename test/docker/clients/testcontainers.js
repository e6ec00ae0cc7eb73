// A developer's session with testcontainers, which finds its engine by DOCKER_HOST; says what it saw as one line of JSON. Argument: image.
import { GenericContainer, Wait } from 'testcontainers';

const [image] = process.argv.slice(2);
const seen = {};

const server = await new GenericContainer(image)
  .withCommand(['sh', '-c', 'mkdir /www; echo hello from inside > /www/index.html; echo it is ready; exec busybox httpd -f -p 8080 -h /www'])
  .withEnvironment({ GREETING: 'moin' })
  .withCopyContentToContainer([{ content: 'copied in\n', target: '/tmp/copied' }])
  .withExposedPorts(8080)
  .withWaitStrategy(Wait.forAll([Wait.forListeningPorts(), Wait.forLogMessage('it is ready')]))
  .withStartupTimeout(30_000)
  .start();
seen.page = await (await fetch(`http://${server.getHost()}:${server.getMappedPort(8080)}/`)).text();
const { output, exitCode } = await server.exec(['sh', '-c', 'echo $GREETING; cat /tmp/copied; exit 3']);
seen.exec = [output, exitCode];
await server.restart();
seen.again = (await fetch(`http://${server.getHost()}:${server.getMappedPort(8080)}/`)).status;
const id = server.getId();
await server.stop();
seen.id = id.length;
console.log(JSON.stringify(seen));
