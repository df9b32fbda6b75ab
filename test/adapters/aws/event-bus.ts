import {
  CreateEventBusCommand,
  EventBridgeClient,
  PutRuleCommand,
  PutTargetsCommand,
} from '@aws-sdk/client-eventbridge';
import { newId } from '../../../provider/lib/ids.ts';
import type { Moto } from '../../support/servers/moto.ts';

/** An event as EventBridge delivers it to a queue. */
export interface DeliveredEvent {
  id: string;
  source: string;
  'detail-type': string;
  time: string;
  detail: Record<string, unknown>;
}

export interface EventBus {
  name: string;
  /** Reads and deletes what the queue holds, and gives everything that was delivered so far, in order. */
  delivered(): Promise<DeliveredEvent[]>;
}

/** Creates a bus with a rule for the events of Gatehouse whose target is an SQS queue. */
export async function createEventBus(moto: Moto): Promise<EventBus> {
  const name = newId('bus');
  const client = new EventBridgeClient(moto.client);
  const queue = await createQueue(moto, name);
  await client.send(new CreateEventBusCommand({ Name: name }));
  const EventPattern = JSON.stringify({ source: ['gatehouse'] });
  await client.send(new PutRuleCommand({ Name: name, EventBusName: name, EventPattern }));
  const Targets = [{ Id: 'queue', Arn: `arn:aws:sqs:${moto.client.region}:123456789012:${name}` }];
  await client.send(new PutTargetsCommand({ Rule: name, EventBusName: name, Targets }));
  client.destroy();
  const found: DeliveredEvent[] = [];
  return {
    name,
    delivered: async () => {
      for (;;) {
        const messages = await receive(moto, queue);
        if (messages.length === 0) return found;
        for (const { Body, ReceiptHandle } of messages) {
          found.push(JSON.parse(Body) as DeliveredEvent);
          await sqs(moto, 'DeleteMessage', { QueueUrl: queue, ReceiptHandle });
        }
      }
    },
  };
}

interface Message {
  Body: string;
  ReceiptHandle: string;
}

async function createQueue(moto: Moto, name: string): Promise<string> {
  const { QueueUrl } = (await sqs(moto, 'CreateQueue', { QueueName: name })) as { QueueUrl: string };
  return QueueUrl;
}

async function receive(moto: Moto, queue: string): Promise<Message[]> {
  const parameters = { QueueUrl: queue, MaxNumberOfMessages: 10, WaitTimeSeconds: 0 };
  const { Messages = [] } = (await sqs(moto, 'ReceiveMessage', parameters)) as { Messages?: Message[] };
  return Messages;
}

/** Calls SQS without its SDK, which the product does not need. moto reads the region and checks no signature. */
async function sqs(moto: Moto, operation: string, parameters: Record<string, unknown>): Promise<unknown> {
  const scope = `testing/20260101/${moto.client.region}/sqs/aws4_request`;
  const answer = await fetch(moto.client.endpoint, {
    method: 'POST',
    headers: {
      authorization: `AWS4-HMAC-SHA256 Credential=${scope}, SignedHeaders=host, Signature=none`,
      'content-type': 'application/x-amz-json-1.0',
      'x-amz-target': `AmazonSQS.${operation}`,
    },
    body: JSON.stringify(parameters),
  });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${operation}: ${answer.status} ${text}`);
  return text === '' ? {} : JSON.parse(text);
}
