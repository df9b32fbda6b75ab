import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { Client } from 'pg';
import { createEventBus, createEventQueue } from '../../examples/start/event-queue.ts';
import { createFunction } from '../../examples/start/lambda-function.ts';
import { newId } from '../../provider/lib/ids.ts';
import { createTestDatabase } from '../support/databases.ts';
import { type Ministack, startMinistack } from '../support/servers/ministack.ts';
import { waitFor } from '../support/wait-for.ts';

/** The region of ministack's calls without a signature, such as those that create functions. */
const region = 'us-east-1';
const credentials = { accessKeyId: 'testing', secretAccessKey: 'testing' };

/** The variables that make the AWS SDK of another process use this address. */
const awsEnvironment = (endpoint: string): Record<string, string> => ({
  AWS_ENDPOINT_URL: endpoint,
  AWS_REGION: region,
  AWS_ACCESS_KEY_ID: credentials.accessKeyId,
  AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
  AWS_EC2_METADATA_DISABLED: 'true',
});

/** A message with an event, as EventBridge put it into a queue. */
export interface EventMessage {
  body: string;
  id: string;
  type: string;
  subject: string;
  sequence: number;
}

/** An emulator with a bus for a Gatehouse, and a queue in which the test finds all events. */
export interface EventSource {
  ministack: Ministack;
  bus: string;
  /** The settings with which Gatehouse publishes to the bus. */
  gatehouseSettings: Record<string, string>;
  /** Waits for so many events about the account with this email address. Gives them in order. */
  eventsOf(email: string, count: number): Promise<EventMessage[]>;
  stop(): Promise<void>;
}

export async function startEventSource(): Promise<EventSource> {
  const ministack = await startMinistack(['events', 'sqs', 'lambda']);
  const client = { endpoint: ministack.url, region, credentials };
  const bus = 'gatehouse';
  await createEventBus(client, bus);
  const { queueUrl } = await createEventQueue({ client, bus, name: 'all-events' });
  const seen: EventMessage[] = [];
  return {
    ministack,
    bus,
    gatehouseSettings: { ...awsEnvironment(ministack.url), GATEHOUSE_EVENTS_SINK: `eventbridge:${bus}` },
    eventsOf: (email, count) =>
      waitFor(
        async () => {
          for (const body of await takeAll(ministack, queueUrl))
            seen.push({ ...JSON.parse(body).detail, body });
          const subject = seen.find(({ body }) => body.includes(email))?.subject;
          const found = seen.filter((event) => event.subject === subject);
          return found.length >= count && found.sort((one, other) => one.sequence - other.sequence);
        },
        { timeoutMs: 60_000, intervalMs: 100, what: `${count} events about ${email}` },
      ),
    stop: ministack.stop,
  };
}

interface SqsMessage {
  Body: string;
  ReceiptHandle: string;
}

/** Reads and deletes what the queue shows now. */
async function takeAll({ url }: Ministack, queueUrl: string): Promise<string[]> {
  const bodies: string[] = [];
  for (;;) {
    const { Messages = [] } = await sqs<{ Messages?: SqsMessage[] }>(url, 'ReceiveMessage', {
      QueueUrl: queueUrl,
      MaxNumberOfMessages: 10,
    });
    if (Messages.length === 0) return bodies;
    for (const { Body, ReceiptHandle } of Messages) {
      bodies.push(Body);
      await sqs(url, 'DeleteMessage', { QueueUrl: queueUrl, ReceiptHandle });
    }
  }
}

/** Calls SQS as its SDK does. The emulator checks no signature. */
async function sqs<T>(endpoint: string, operation: string, parameters: object): Promise<T> {
  const scope = `testing/20260101/${region}/sqs/aws4_request`;
  const answer = await fetch(endpoint, {
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
  return JSON.parse(text || '{}') as T;
}

/** What the consumer did with an event, as its table shows it. */
export interface HistoryRow {
  type: string;
  sequence: number;
}

/** A queue and a database for consumers of one test. */
export interface ConsumerPlace {
  queueUrl: string;
  send(messages: readonly { body: string }[]): Promise<void>;
  /** Starts a consumer. Resolves when it is ready. */
  start(settings?: Record<string, string>): Promise<ConsumerProcess>;
  environment: Record<string, string>;
  database: Client;
  /** The effects for this account, in the order in which they were made. */
  history(subject: string): Promise<HistoryRow[]>;
  /** Waits until there are so many effects for this account. Gives their sequences in the order in which they were made. */
  sequences(subject: string, count: number): Promise<number[]>;
  /** How many messages the queue has, also those that were taken and not deleted. */
  left(): Promise<number>;
  /** Waits until the dead-letter queue has so many messages. Reads and deletes them. */
  deadLetters(count: number): Promise<string[]>;
  /** Makes the emulator run the consumer as a Lambda function, with batches of messages of the queue. */
  runAsFunction(settings: Record<string, string>): Promise<void>;
  remove(): Promise<void>;
}

export interface ConsumerProcess {
  output(): string;
  /** Sends the signal, and waits until the process has ended. Gives its exit code. */
  end(signal: NodeJS.Signals): Promise<number | null>;
}

export interface PlaceOptions {
  /** The bus whose events come to the queue. The default is a bus of its own, to which no Gatehouse publishes. */
  bus?: string;
  tries?: number;
  /** For a Lambda function it must be longer than a call can take. The default is 1. */
  visibilitySeconds?: number;
}

export async function createConsumerPlace(
  { ministack }: EventSource,
  { bus, tries, visibilitySeconds = 1 }: PlaceOptions = {},
): Promise<ConsumerPlace> {
  const client = { endpoint: ministack.url, region, credentials };
  const name = newId('queue');
  if (bus === undefined) await createEventBus(client, name);
  const queues = await createEventQueue({
    client,
    bus: bus ?? name,
    name,
    visibilitySeconds,
    ...(tries !== undefined && { tries }),
  });
  const own = await createTestDatabase();
  const database = new Client({ connectionString: own.url });
  await database.connect();
  const environment = {
    ...awsEnvironment(ministack.url),
    DATABASE_URL: own.url,
    QUEUE_URL: queues.queueUrl,
    DEAD_LETTER_QUEUE_URL: queues.deadLetterQueueUrl,
  };
  const running: ConsumerProcess[] = [];
  const place: ConsumerPlace = {
    queueUrl: queues.queueUrl,
    environment,
    database,
    send: async (messages) => {
      for (const { body } of messages)
        await sqs(ministack.url, 'SendMessage', { QueueUrl: queues.queueUrl, MessageBody: body });
    },
    start: async (settings = {}) => {
      const consumer = startConsumer({ ...environment, ...settings });
      running.push(consumer);
      const isReady = () => consumer.output().includes('the event consumer is ready');
      await waitFor(isReady, { timeoutMs: 60_000, what: 'the consumer' }).catch((error) => {
        throw new Error(`${error.message} It wrote: ${consumer.output()}`);
      });
      return consumer;
    },
    history: async (subject) => {
      const text = 'SELECT type, sequence::int FROM people_history WHERE person = $1 ORDER BY position';
      return (await database.query<HistoryRow>(text, [subject])).rows;
    },
    sequences: async (subject, count) => {
      const rows = await waitFor(
        async () => {
          const found = await place.history(subject);
          return found.length >= count && found;
        },
        { timeoutMs: 60_000, what: `${count} effects` },
      );
      return rows.map(({ sequence }) => sequence);
    },
    left: async () => {
      const names = ['ApproximateNumberOfMessages', 'ApproximateNumberOfMessagesNotVisible'];
      const { Attributes } = await sqs<{ Attributes: Record<string, string> }>(
        ministack.url,
        'GetQueueAttributes',
        { QueueUrl: queues.queueUrl, AttributeNames: names },
      );
      return names.reduce((sum, attribute) => sum + Number(Attributes[attribute]), 0);
    },
    deadLetters: async (count) => {
      const found: string[] = [];
      const isThere = async () => {
        found.push(...(await takeAll(ministack, queues.deadLetterQueueUrl)));
        return found.length >= count;
      };
      await waitFor(isThere, { timeoutMs: 60_000, intervalMs: 100, what: `${count} dead letters` });
      return found;
    },
    runAsFunction: async (settings) => {
      const variables = { ...environment, ...settings };
      const file = '../event-consumer/lambda.ts';
      const FunctionName = await createFunction(ministack, { name, file, variables });
      const { Attributes } = await sqs<{ Attributes: Record<string, string> }>(
        ministack.url,
        'GetQueueAttributes',
        { QueueUrl: queues.queueUrl, AttributeNames: ['QueueArn'] },
      );
      await ministack.post('/2015-03-31/event-source-mappings', {
        FunctionName,
        EventSourceArn: Attributes.QueueArn,
        BatchSize: 10,
        FunctionResponseTypes: ['ReportBatchItemFailures'],
      });
    },
    remove: async () => {
      await Promise.all(running.map((consumer) => consumer.end('SIGKILL')));
      await database.end();
      await own.drop();
    },
  };
  return place;
}

function startConsumer(env: Record<string, string>): ConsumerProcess {
  const child = spawn(process.execPath, ['--import', 'tsx', 'examples/event-consumer/main.ts'], {
    env: { ...process.env, ...env, AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  const ended = once(child, 'close').then(([code]) => code as number | null);
  return {
    output: () => output,
    end: (signal) => {
      child.kill(signal);
      return ended;
    },
  };
}
