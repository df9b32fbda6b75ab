import { CreateEmailIdentityCommand, SESv2Client } from '@aws-sdk/client-sesv2';
import {
  CreateQueueCommand,
  GetQueueAttributesCommand,
  SendMessageCommand,
  SetQueueAttributesCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { newId } from '../../provider/lib/ids.ts';
import { documentOf, runCommand } from '../cli/session-commands.ts';
import { type FleetDeployment, startServers } from '../support/deployment.ts';
import { type Program, runProgram } from '../support/program.ts';
import { type AwsProxy, startAwsProxy } from '../support/servers/aws-proxy.ts';
import { type Moto, startMoto } from '../support/servers/moto.ts';
import { sesBounce, sesComplaint, viaEventBridge, viaSns } from '../support/ses-reports.ts';
import { newPerson } from '../support/sign-in.ts';
import { startWorker } from '../support/start-worker.ts';
import type { Person } from '../support/user-agent.ts';
import { waitFor } from '../support/wait-for.ts';

jest.setTimeout(300_000);

const configurationSet = 'gatehouse';

let moto: Moto;
let proxy: AwsProxy;
let sqs: SQSClient;
let queueUrl: string;
let deadLettersUrl: string;
let deployment: FleetDeployment;
const workers: Program[] = [];

async function createQueue(): Promise<string> {
  const { QueueUrl = '' } = await sqs.send(new CreateQueueCommand({ QueueName: newId('queue') }));
  return QueueUrl;
}

/** The queue of reports. A message that was received twice and not deleted goes to the other queue. */
async function createQueues(): Promise<void> {
  sqs = new SQSClient(moto.client);
  [queueUrl, deadLettersUrl] = [await createQueue(), await createQueue()];
  const { Attributes = {} } = await sqs.send(
    new GetQueueAttributesCommand({ QueueUrl: deadLettersUrl, AttributeNames: ['QueueArn'] }),
  );
  const RedrivePolicy = JSON.stringify({ deadLetterTargetArn: Attributes.QueueArn, maxReceiveCount: 2 });
  await sqs.send(new SetQueueAttributesCommand({ QueueUrl: queueUrl, Attributes: { RedrivePolicy } }));
}

beforeAll(async () => {
  moto = await startMoto();
  proxy = await startAwsProxy(moto.url);
  // A message that was not deleted is received again at once, not after a minute.
  proxy.treat(({ operation, body }, forward) =>
    operation === 'ReceiveMessage'
      ? forward(JSON.stringify({ ...JSON.parse(body), VisibilityTimeout: 1, WaitTimeSeconds: 1 }))
      : forward(),
  );
  const ses = new SESv2Client(moto.client);
  await ses.send(new CreateEmailIdentityCommand({ EmailIdentity: 'example.com' }));
  ses.destroy();
  await createQueues();
  deployment = await startServers({
    env: {
      ...moto.environment,
      AWS_ENDPOINT_URL: proxy.url,
      GATEHOUSE_JOBS: 'worker',
      GATEHOUSE_MAIL: 'ses',
      GATEHOUSE_MAIL_FROM: 'Example Login <login@example.com>',
      GATEHOUSE_SES_CONFIGURATION_SET: configurationSet,
      GATEHOUSE_MAIL_FEEDBACK_QUEUE: `${proxy.url}${new URL(queueUrl).pathname}`,
    },
  });
  await startWorker(deployment, { without: ['GATEHOUSE_CLIENTS_FILE'], workers });
});
afterAll(async () => {
  for (const worker of workers) worker.kill('SIGKILL');
  await Promise.all(workers.map((worker) => worker.ended));
  await deployment?.stop();
  sqs?.destroy();
  await proxy?.close();
  await moto?.stop();
});

interface Sent {
  Destination: { ToAddresses: string[] };
  EmailTags: { Name: string; Value: string }[];
  ConfigurationSetName?: string;
}

/** What the worker sent to SES for this address. */
const sentTo = (address: string): Sent[] =>
  proxy.calls
    .filter(({ body }) => body.includes('EmailTags'))
    .map(({ body }) => JSON.parse(body) as Sent)
    .filter(({ Destination }) => Destination.ToAddresses.includes(address));

/** The tags of a mail, as SES gives them back. */
const tagsOf = ({ EmailTags }: Sent) =>
  Object.fromEntries(EmailTags.map(({ Name, Value }) => [Name, [Value]]));

const put = (MessageBody: string) => sqs.send(new SendMessageCommand({ QueueUrl: queueUrl, MessageBody }));
const output = () => workers.map((worker) => worker.output()).join('\n');
/** The log, without the events that go to the same place. */
const lines = () =>
  output()
    .split('\n')
    .filter((line) => line.includes('"level"'));
const messages = async (QueueUrl: string) => {
  const AttributeNames = ['ApproximateNumberOfMessages' as const];
  const { Attributes = {} } = await sqs.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames }));
  return Number(Attributes.ApproximateNumberOfMessages);
};

/** Causes a mail to this person. */
async function changePassword({ email }: Person): Promise<void> {
  const { env, folder } = deployment;
  const input = `a longer walk along the river ${newId('x')}\n`;
  const command = runProgram(['accounts', 'set-password', email], { env, cwd: folder, input });
  expect(await command.ended).toBe(0);
}

async function firstMail(): Promise<{ person: Person; mail: Sent }> {
  const person = await newPerson(deployment);
  await changePassword(person);
  await waitFor(() => sentTo(person.email).length === 1, { timeoutMs: 60_000, what: 'the first mail' });
  const [mail] = sentTo(person.email);
  if (mail === undefined) throw new Error('no mail');
  return { person, mail };
}

const suppressed = async () => {
  const document = documentOf<{ addresses: { address: string; reason: string }[] }>(
    await runCommand(deployment, ['mail', 'suppressed', '--json']),
  );
  return document.addresses;
};
const untilSuppressed = (address: string) =>
  waitFor(async () => (await suppressed()).some((one) => one.address === address.toLowerCase()), {
    timeoutMs: 60_000,
    what: 'the suppression',
  });

test('after a bounce the address gets no mail, operators see why, and unsuppress lets mails through again', async () => {
  const { person, mail } = await firstMail();
  expect(mail.ConfigurationSetName).toBe(configurationSet);
  await put(viaEventBridge(sesBounce({ to: person.email, tags: tagsOf(mail) })));
  await untilSuppressed(person.email);

  await changePassword(person);
  await waitFor(() => output().includes('mail dropped, its address is suppressed'), { timeoutMs: 60_000 });
  expect(sentTo(person.email)).toHaveLength(1);
  expect(lines().join('\n')).not.toContain(person.email);

  const shown = documentOf<{ mailSuppressed: object }>(
    await runCommand(deployment, ['accounts', 'show', person.email, '--json']),
  );
  expect(shown.mailSuppressed).toEqual({
    reason: 'bounce',
    since: expect.any(String),
    until: expect.any(String),
  });
  const { stdout } = await runCommand(deployment, ['accounts', 'show', person.email]);
  expect(stdout).toMatch(/^mail +suppressed since .* \(bounce\), until /m);

  const undone = await runCommand(deployment, ['mail', 'unsuppress', person.email.toUpperCase()]);
  expect(undone).toMatchObject({ code: 0, stdout: expect.stringContaining('gets mails again') });
  expect(await runCommand(deployment, ['mail', 'unsuppress', person.email])).toMatchObject({ code: 1 });
  await changePassword(person);
  await waitFor(() => sentTo(person.email).length === 2, { timeoutMs: 60_000, what: 'the second mail' });
});

test('a complaint by SNS suppresses the address; forged, foreign, passing and unreadable reports suppress none and block none', async () => {
  const { person, mail } = await firstMail();
  const { person: other, mail: mailOfOther } = await firstMail();
  const to = other.email;
  const { proof: _, ...unproven } = tagsOf(mailOfOther);
  await put('no report');
  await put(viaEventBridge(sesBounce({ to })));
  await put(viaEventBridge(sesBounce({ to, tags: unproven })));
  await put(viaEventBridge(sesBounce({ to, tags: tagsOf(mail) })));
  await put(viaEventBridge(sesBounce({ to, tags: tagsOf(mailOfOther) }, 'Transient')));
  await put(viaSns(sesComplaint({ to: person.email, tags: tagsOf(mail) })));
  await untilSuppressed(person.email);
  // The unreadable message was received again, and not deleted: SQS moves it to the queue of dead letters.
  await waitFor(async () => (await messages(deadLettersUrl)) === 1, { timeoutMs: 60_000 });
  await waitFor(async () => (await messages(queueUrl)) === 0, { timeoutMs: 60_000 });
  expect(await suppressed()).toEqual([
    expect.objectContaining({ address: person.email, reason: 'complaint' }),
  ]);
  await changePassword(other);
  await waitFor(() => sentTo(to).length === 2, { timeoutMs: 60_000, what: 'the mail to the other person' });
});
