import { CreateQueueCommand, SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { SqsMailFeedback } from '../../../adapters/aws/sqs-mail-feedback.ts';
import { newId } from '../../../provider/lib/ids.ts';
import type { MailReport } from '../../../provider/ports/mail-feedback.ts';
import { mailFeedbackContract } from '../../contract/mail-feedback.ts';
import { type AwsProxy, awsError, startAwsProxy } from '../../support/servers/aws-proxy.ts';
import { type Moto, startMoto } from '../../support/servers/moto.ts';
import { sesBounce, sesComplaint, sesDelivery, viaEventBridge, viaSns } from '../../support/ses-reports.ts';

let moto: Moto;
let sqs: SQSClient;
beforeAll(async () => {
  moto = await startMoto();
  sqs = new SQSClient(moto.client);
}, 120_000);
afterAll(async () => {
  sqs?.destroy();
  await moto?.stop();
});

const makers = { bounce: sesBounce, complaint: sesComplaint, other: sesDelivery };

function textOf({ kind, mailId, proof, to = '' }: MailReport): string {
  const tags = { ...(mailId && { mail: [mailId] }), ...(proof && { proof: [proof] }) };
  const wrap = kind === 'complaint' ? viaSns : viaEventBridge;
  return wrap(makers[kind]({ to, tags }));
}

async function open() {
  const proxy: AwsProxy = await startAwsProxy(moto.url);
  const { QueueUrl } = await sqs.send(new CreateQueueCommand({ QueueName: newId('reports') }));
  const path = new URL(QueueUrl ?? '').pathname;
  const feedback = new SqsMailFeedback({
    queueUrl: `${proxy.url}${path}`,
    client: moto.client,
    waitSeconds: 1,
    hiddenSeconds: 1,
  });
  const put = async (body: string) => {
    await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: body }));
  };
  const close = async () => {
    feedback.close();
    await proxy.close();
  };
  return { proxy, feedback, put, close };
}

mailFeedbackContract('SqsMailFeedback', async () => {
  const { proxy, feedback, put, close } = await open();
  return {
    feedback,
    put: (report) => put(report === 'unreadable' ? 'unreadable' : textOf(report)),
    goAway: async () => proxy.treat(async () => undefined),
    close,
  };
});

describe('SqsMailFeedback', () => {
  test.each([
    ['AccessDeniedException', 'Allow sqs:ReceiveMessage and sqs:DeleteMessage'],
    ['QueueDoesNotExist', 'Check the URL, its region and its account.'],
    ['UnrecognizedClientException', 'AWS does not accept the credentials'],
  ])('says what to do about %s', async (name, advice) => {
    const { proxy, feedback, close } = await open();
    proxy.treat(async () => awsError(`com.amazonaws.sqs#${name}`, 'a test refused it'));
    const { signal } = new AbortController();
    await expect(feedback.receive(signal)).rejects.toThrow(advice);
    await expect(feedback.remove(['receipt'])).rejects.toThrow(advice);
    await close();
  });

  test('messages that SQS did not delete are an error', async () => {
    const { proxy, feedback, close } = await open();
    const Failed = [{ Id: '0', Code: 'InternalError', SenderFault: false }];
    proxy.treat(async () => ({ status: 200, body: JSON.stringify({ Successful: [], Failed }) }));
    await expect(feedback.remove(['receipt'])).rejects.toThrow(
      'SQS did not delete 1 messages: InternalError',
    );
    await close();
  });
});
