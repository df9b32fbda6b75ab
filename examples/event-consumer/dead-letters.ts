import { SendMessageCommand, type SQSClient } from '@aws-sdk/client-sqs';

/** Sends a message to the dead-letter queue. */
export const sendToDeadLetters = (sqs: SQSClient, queueUrl: string) => async (body: string) => {
  await sqs.send(new SendMessageCommand({ QueueUrl: queueUrl, MessageBody: body }));
};
