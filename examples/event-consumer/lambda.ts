import { createConsumer, log } from './consumer.ts';
import { handleMessages } from './handle-messages.ts';

/** What SQS gives to a Lambda function. Another trigger, such as a schedule, has no records. */
interface SqsInvocation {
  Records?: { messageId: string; body: string }[];
}

const { inOrder } = createConsumer();

/**
 * The consumer as a Lambda function. The event source mapping needs `ReportBatchItemFailures`: then SQS deletes only the
 * messages that did not fail. The same function needs a schedule (once a minute): when no message comes, that call ends
 * the waits. Create the tables (`tables.sql`) before.
 */
export const handler = async ({ Records = [] }: SqsInvocation) => {
  const messages = Records.map(({ messageId, body }) => ({ id: messageId, body }));
  const failed = await handleMessages(messages, inOrder, log);
  await inOrder.endWaits();
  return { batchItemFailures: [...failed].map((itemIdentifier) => ({ itemIdentifier })) };
};
