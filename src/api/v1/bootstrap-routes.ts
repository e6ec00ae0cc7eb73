import type { ImageEngine } from '../../engine/images.ts';
import { MooringError } from '../../lib/errors.ts';
import { asked, type Call, sendLines } from './call.ts';
import { errorReply } from './error-body.ts';
import type { BootstrapEvent } from './image-types.ts';
import type { Route } from './routes.ts';

/** Images made on the node from a distribution's packages. */
export const bootstrapRoutes: readonly Route[] = [{ method: 'POST', path: '/v1/images/bootstrap', handle: (call, { images }) => sendLines(call, bootstrap(call, images)) }];

/** What the program says as it says it. It ends with the client who asked for it. */
function bootstrap(call: Call, images: ImageEngine): ReadableStream<BootstrapEvent> {
  const name = asked(call, 'name');
  const suite = asked(call, 'suite');
  const given = (parameter: string): string | undefined => call.query.get(parameter) ?? undefined;
  const [variant, mirror, include, epoch] = ['variant', 'mirror', 'include', 'sourceDateEpoch'].map(given);
  if (epoch !== undefined && !/^\d{1,12}$/.test(epoch)) throw new MooringError('Invalid', `sourceDateEpoch "${epoch}" is not a number of seconds`);
  const options = { suite, ...(variant !== undefined && { variant }), ...(mirror !== undefined && { mirror }), ...(include !== undefined && { include: include.split(',') }), ...(epoch !== undefined && { sourceDateEpoch: Number(epoch) }) };
  return new ReadableStream<BootstrapEvent>({
    async start(controller) {
      const tell = (event: BootstrapEvent): void => {
        if (!call.signal.aborted) controller.enqueue(event);
      };
      try {
        const { id } = await images.bootstrap(name, options, (text) => tell({ type: 'LINE', text }), call.signal);
        tell({ type: 'DONE', name, digest: id });
      } catch (error) {
        tell({ type: 'ERROR', error: errorReply(error).body.error });
      }
      if (!call.signal.aborted) controller.close();
    },
  });
}
