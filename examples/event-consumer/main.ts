import { createConsumer, log, setting } from './consumer.ts';
import { pollQueue } from './poll-queue.ts';

/** The consumer as a process. Any number can run. SIGTERM and SIGINT end it after the batch that it has. */
const stopping = new AbortController();
for (const signal of ['SIGTERM', 'SIGINT']) process.once(signal, () => stopping.abort());

const queueUrl = setting('QUEUE_URL');
const { inOrder, sqs, prepare, close } = createConsumer();
await prepare();
await inOrder.forget();
const forgetting = setInterval(
  () => inOrder.forget().catch((error) => log('could not forget old ids', { error: String(error) })),
  86_400_000,
);
log('the event consumer is ready');
await pollQueue({ sqs, queueUrl, inOrder, log }, stopping.signal);
clearInterval(forgetting);
await close();
