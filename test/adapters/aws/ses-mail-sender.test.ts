import { CreateEmailIdentityCommand, SESv2Client } from '@aws-sdk/client-sesv2';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { SesMailSender } from '../../../adapters/aws/ses-mail-sender.ts';
import { mailSenderContract, someMail } from '../../contract/mail-sender.ts';
import { type AwsProxy, awsError, startAwsProxy, type Treatment } from '../../support/servers/aws-proxy.ts';
import { type Moto, startMoto } from '../../support/servers/moto.ts';

const from = { name: 'Beispiel „Login“', address: 'login@example.com' };

let moto: Moto;
let proxy: AwsProxy;
let sender: SesMailSender;

interface Sent {
  FromEmailAddress: string;
  Destination: Record<string, string[]>;
  Content: { Simple: { Subject: { Data: string }; Body: Record<'Text' | 'Html', { Data: string }> } };
  EmailTags: { Name: string; Value: string }[];
}
const sentIn = (body: string) => JSON.parse(body) as Sent;
const taken: string[] = [];
/** Notes what the emulator has taken. */
const noting: Treatment = async ({ body }, forward) => {
  const answer = await forward();
  if (answer.status === 200) taken.push(body);
  return answer;
};

const open = async () => {
  proxy = await startAwsProxy(moto.url);
  proxy.treat(noting);
  sender = new SesMailSender({ from, client: { ...moto.client, endpoint: proxy.url }, callMs: 2000 });
};
const close = async () => {
  sender.close();
  await proxy.close();
};

beforeAll(async () => {
  moto = await startMoto();
  const client = new SESv2Client(moto.client);
  await client.send(new CreateEmailIdentityCommand({ EmailIdentity: 'example.com' }));
  client.destroy();
}, 120_000);
afterAll(() => moto?.stop());

mailSenderContract('SesMailSender', async () => {
  await open();
  const answers = new Map<string, ReturnType<typeof awsError>>();
  const usual: Treatment = (call, forward) => {
    const answer = answers.get(sentIn(call.body).Destination.ToAddresses?.[0] ?? '');
    return answer === undefined ? noting(call, forward) : Promise.resolve(answer);
  };
  proxy.treat(usual);
  return {
    sender,
    arrived: async (id) => {
      const body = taken.find((one) => sentIn(one).EmailTags.some(({ Value }) => Value === id));
      if (body === undefined) throw new Error(`${id} has not arrived`);
      const { Destination, Content } = sentIn(body);
      const { Subject, Body } = Content.Simple;
      return {
        to: Object.values(Destination).flat(),
        subject: Subject.Data,
        text: Body.Text.Data.trim(),
        html: Body.Html.Data.trim(),
      };
    },
    refuse: async (address, outcome) =>
      void answers.set(
        address,
        outcome === 'failed'
          ? awsError('TooManyRequestsException', 'Maximum sending rate exceeded.', 429)
          : awsError('MessageRejected', 'Address blacklisted.'),
      ),
    goAway: async () => proxy.treat(async () => undefined),
    comeBack: async () => proxy.treat(usual),
    close,
  };
});

describe('SesMailSender', () => {
  beforeEach(open);
  afterEach(close);

  test('the sender has its name, encoded', async () => {
    await sender.send(someMail());
    const { FromEmailAddress } = sentIn(proxy.calls[0]?.body ?? '');
    const name = Buffer.from('Beispiel „Login“').toString('base64');
    expect(FromEmailAddress).toBe(`=?UTF-8?B?${name}?= <login@example.com>`);
  });

  test('the proof and the configuration set are sent, so that SES reports what became of the mail', async () => {
    const proof = 'Zm9v_Ym-Fy';
    await sender.send({ ...someMail(), proof });
    expect(sentIn(proxy.calls[0]?.body ?? '')).toMatchObject({
      EmailTags: [{ Name: 'mail' }, { Name: 'proof', Value: proof }],
    });
    const client = { ...moto.client, endpoint: proxy.url };
    const reporting = new SesMailSender({ from, configurationSet: 'gatehouse', client });
    await reporting.send(someMail());
    expect(sentIn(proxy.calls[1]?.body ?? '')).toMatchObject({ ConfigurationSetName: 'gatehouse' });
    reporting.close();
  });

  test.each([
    ['MessageRejected', 'Email address is not verified.', 'Verify the domain'],
    ['AccessDeniedException', 'User is not authorized to perform ses:SendEmail', 'Allow ses:SendEmail'],
    ['SendingPausedException', 'Sending is paused', 'Account dashboard'],
    ['LimitExceededException', 'Daily quota exceeded', 'quota'],
  ])('%s is tried again, with advice', async (name, message, advice) => {
    proxy.treat(async () => awsError(name, message));
    expect(await sender.send(someMail())).toEqual({
      outcome: 'failed',
      reason: `${name}: ${message}`,
      advice: expect.stringContaining(advice),
    });
  });
});
