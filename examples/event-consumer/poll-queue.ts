import { setTimeout as pause } from 'node:timers/promises';
import {
  DeleteMessageBatchCommand,
  type Message,
  ReceiveMessageCommand,
  type SQSClient,
} from '@aws-sdk/client-sqs';
import { handleMessages } from './handle-messages.ts';
import type { OnceInOrder } from './once-in-order.ts';

export interface PollOptions {
  sqs: SQSClient;
  queueUrl: string;
  inOrder: OnceInOrder;
  /** How long one request waits for messages, in seconds. The default is 5. SQS allows at most 20. */
  waitSeconds?: number;
  log(message: string, facts: Record<string, unknown>): void;
}

/** Takes messages from the queue until `stopping` is aborted. Then it finishes the batch that it has, and returns. */
export async function pollQueue(options: PollOptions, stopping: AbortSignal): Promise<void> {
  const { log } = options;
  while (!stopping.aborted) {
    try {
      await pollOnce(options, stopping);
    } catch (error) {
      if (stopping.aborted) return;
      log('the queue or the database did not answer; trying again', { error: String(error) });
      await pause(1_000, undefined, { signal: stopping }).catch(() => {});
    }
  }
}

async function pollOnce(
  { sqs, queueUrl, inOrder, waitSeconds = 5, log }: PollOptions,
  stopping: AbortSignal,
): Promise<void> {
  await inOrder.endWaits();
  const receive = new ReceiveMessageCommand({
    QueueUrl: queueUrl,
    MaxNumberOfMessages: 10,
    WaitTimeSeconds: waitSeconds,
  });
  const { Messages = [] } = await sqs.send(receive, { abortSignal: stopping });
  const failed = await handleMessages(Messages.map(messageOf), inOrder, log);
  const done = Messages.filter((message) => !failed.has(messageOf(message).id));
  if (done.length === 0) return;
  // A message that can't be deleted comes again, and is a repeat then.
  await sqs.send(
    new DeleteMessageBatchCommand({
      QueueUrl: queueUrl,
      Entries: done.map(({ ReceiptHandle }, index) => ({ Id: `${index}`, ReceiptHandle })),
    }),
  );
}

const messageOf = ({ MessageId = '', Body = '' }: Message) => ({ id: MessageId, body: Body });
