import { Client } from 'pg';
import type { KeptProcess } from '../../test/support/servers/kept-process.ts';
import { type Ministack, startMinistack } from '../../test/support/servers/ministack.ts';
import { startPostgres } from '../../test/support/servers/provide.ts';
import { startServer } from '../../test/support/servers/server.ts';
import { createEventBus, createEventQueue, type EventQueue } from './event-queue.ts';
import { ann, audience, type Gatehouse, mia, startGatehouse } from './gatehouse.ts';
import { createApiGateway, startNginxGateway } from './gateways.ts';
import { startNode } from './processes.ts';

/** The running examples. */
export interface Examples {
  gatehouse: Gatehouse;
  /** The addresses of the gateways. Services have addresses too, but callers must not use them. */
  nginx: string;
  apiGateway: string;
  /** Where the event consumer keeps its state. */
  consumerDatabase: string;
  consumer: KeptProcess;
}

/** Takes the functions that stop what was started. They are called in the opposite order. */
export type Stops = (() => Promise<unknown>)[];

const credentials = { accessKeyId: 'example', secretAccessKey: 'example' };
const region = 'eu-central-1';

/** Starts all parts on free ports. What was started is in `stops`, also when this rejects. */
export async function startExamples(stops: Stops): Promise<Examples> {
  const started = <T extends { stop(): Promise<unknown> }>(part: T): T => {
    stops.push(() => part.stop());
    return part;
  };
  const [postgres, ministack] = await Promise.all([
    startPostgres().then(started),
    startMinistack(['apigateway', 'lambda', 'events', 'sqs']).then(started),
  ]);
  const [gatehouseDatabase, consumerDatabase] = await createDatabases(postgres.url);
  const client = { endpoint: ministack.url, region, credentials };
  const bus = 'gatehouse';
  await createEventBus(client, bus);
  const queue = await createEventQueue({ client, bus, name: 'event-consumer' });
  const aws = awsEnvironment(ministack);
  const consumer = started(startConsumer(queue, { ...aws, DATABASE_URL: consumerDatabase }));
  const gatehouse = started(
    await startGatehouse(gatehouseDatabase, { ...aws, GATEHOUSE_EVENTS_SINK: `eventbridge:${bus}` }, [
      ann,
      mia,
    ]),
  );
  const { issuer } = gatehouse;
  const [behindNginx, behindApiGateway] = await Promise.all([
    startContractService({ CALLER: 'headers' }).then(started),
    startContractService({ CALLER: 'token', ISSUER: issuer, AUDIENCE: audience }).then(started),
  ]);
  const nginx = started(await startNginxGateway(issuer, behindNginx.url));
  const contractService = behindApiGateway.url;
  const apiGateway = await createApiGateway({ ministack, issuer, contractService });
  return { gatehouse, nginx: nginx.url, apiGateway, consumerDatabase, consumer };
}

/** Creates a database for Gatehouse and one for the consumer, and gives their addresses. */
async function createDatabases(server: string): Promise<[gatehouse: string, consumer: string]> {
  const client = new Client({ connectionString: server });
  await client.connect();
  const create = async (name: string) => {
    await client.query(`CREATE DATABASE ${name}`);
    const url = new URL(server);
    url.pathname = `/${name}`;
    return url.href;
  };
  try {
    return [await create('gatehouse'), await create('event_consumer')];
  } finally {
    await client.end();
  }
}

/** The variables that make the AWS SDK of another process use ministack. */
const awsEnvironment = ({ url }: Ministack): Record<string, string> => ({
  AWS_ENDPOINT_URL: url,
  AWS_REGION: region,
  AWS_ACCESS_KEY_ID: credentials.accessKeyId,
  AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
  AWS_EC2_METADATA_DISABLED: 'true',
});

function startConsumer(queue: EventQueue, env: Record<string, string>): KeptProcess {
  const queues = { QUEUE_URL: queue.queueUrl, DEAD_LETTER_QUEUE_URL: queue.deadLetterQueueUrl };
  return startNode({ file: '../event-consumer/main.ts', env: { ...env, ...queues } });
}

const startContractService = (env: Record<string, string>) =>
  startServer({
    name: 'The contract service',
    start: (port) => startNode({ file: '../contract-service/main.ts', env: { ...env, PORT: `${port}` } }),
    url: (port) => `http://127.0.0.1:${port}`,
    ready: async (url) => {
      await (await fetch(url)).arrayBuffer();
    },
    stall: () => Promise.reject(new Error('no example needs a stalled service')),
  });
