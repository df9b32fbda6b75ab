import {
  CreateEventBusCommand,
  EventBridgeClient,
  PutRuleCommand,
  PutTargetsCommand,
} from '@aws-sdk/client-eventbridge';
import { CreateQueueCommand, GetQueueAttributesCommand, SQSClient } from '@aws-sdk/client-sqs';

/** The settings of an AWS client. */
export interface AwsClientSettings {
  endpoint: string;
  region: string;
  credentials: { accessKeyId: string; secretAccessKey: string };
}

export interface EventQueue {
  queueUrl: string;
  deadLetterQueueUrl: string;
}

export interface EventQueueOptions {
  client: AwsClientSettings;
  /** The bus that Gatehouse publishes to (`GATEHOUSE_EVENTS_SINK=eventbridge:BUS`). */
  bus: string;
  /** The name of the queue and of the rule. */
  name: string;
  /** How long a message that was taken stays hidden, in seconds. A batch must be finished before. The default is 30. */
  visibilitySeconds?: number;
  /** After so many tries, SQS moves a message to the dead-letter queue. The default is 5. */
  tries?: number;
}

export async function createEventBus(client: AwsClientSettings, name: string): Promise<void> {
  const events = new EventBridgeClient(client);
  await events.send(new CreateEventBusCommand({ Name: name }));
  events.destroy();
}

/** Creates a queue with a dead-letter queue, and a rule that sends the events of Gatehouse to it. */
export async function createEventQueue({
  client,
  bus,
  name,
  visibilitySeconds = 30,
  tries = 5,
}: EventQueueOptions): Promise<EventQueue> {
  const events = new EventBridgeClient(client);
  const sqs = new SQSClient(client);
  const createQueue = async (QueueName: string, Attributes: Record<string, string>) => {
    const { QueueUrl = '' } = await sqs.send(new CreateQueueCommand({ QueueName, Attributes }));
    const wanted = new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['QueueArn'] });
    return { url: QueueUrl, arn: (await sqs.send(wanted)).Attributes?.QueueArn ?? '' };
  };
  try {
    const EventPattern = JSON.stringify({ source: ['gatehouse'] });
    const { RuleArn } = await events.send(
      new PutRuleCommand({ Name: name, EventBusName: bus, EventPattern }),
    );
    // 14 days is the longest time. It should be longer than any repair takes.
    const deadLetters = await createQueue(`${name}-dead-letters`, { MessageRetentionPeriod: '1209600' });
    const queue = await createQueue(name, {
      VisibilityTimeout: `${visibilitySeconds}`,
      MessageRetentionPeriod: '1209600',
      RedrivePolicy: JSON.stringify({ deadLetterTargetArn: deadLetters.arn, maxReceiveCount: tries }),
      // Only this rule may send to the queue, so a message with the source `gatehouse` comes from the bus.
      Policy: JSON.stringify({
        Version: '2012-10-17',
        Statement: [
          {
            Effect: 'Allow',
            Principal: { Service: 'events.amazonaws.com' },
            Action: 'sqs:SendMessage',
            Resource: '*',
            Condition: { ArnEquals: { 'aws:SourceArn': RuleArn } },
          },
        ],
      }),
    });
    const target = { Id: 'queue', Arn: queue.arn, DeadLetterConfig: { Arn: deadLetters.arn } };
    await events.send(new PutTargetsCommand({ Rule: name, EventBusName: bus, Targets: [target] }));
    return { queueUrl: queue.url, deadLetterQueueUrl: deadLetters.url };
  } finally {
    events.destroy();
    sqs.destroy();
  }
}
