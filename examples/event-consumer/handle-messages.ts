import type { OnceInOrder } from './once-in-order.ts';
import { type ReceivedEvent, readEvent } from './read-event.ts';

/** A message of the queue. The long poll and the Lambda function have their own forms of it. */
export interface QueueMessage {
  id: string;
  body: string;
}

/**
 * Handles a batch. Gives the ids of the messages that failed. They must stay in the queue: SQS shows them again after the
 * visibility timeout, and moves them to the dead-letter queue after `maxReceiveCount`. All others can be deleted.
 */
export async function handleMessages(
  messages: readonly QueueMessage[],
  inOrder: OnceInOrder,
  log: (message: string, facts: Record<string, unknown>) => void,
): Promise<Set<string>> {
  const failed = new Set<string>();
  const fail = (messageId: string, error: unknown) => {
    failed.add(messageId);
    log('a message failed and stays in the queue', { messageId, error: String(error) });
  };
  const read: { id: string; event: ReceivedEvent }[] = [];
  for (const { id, body } of messages) {
    try {
      read.push({ id, event: readEvent(body) });
    } catch (error) {
      fail(id, error);
    }
  }
  // Within a batch the order is known, so fewer events have to wait.
  read.sort((one, other) => one.event.sequence - other.event.sequence);
  for (const { id, event } of read) await inOrder.take(event).catch((error: unknown) => fail(id, error));
  return failed;
}
