import { describe, expect, test } from '@jest/globals';
import { IamTokens, type IamTokensOptions } from '../../../adapters/aws/iam-tokens.ts';
import { ConfigurationError } from '../../../provider/lib/errors.ts';
import { checkIamToken, iamCredentials, iamRegion } from '../../support/iam-token.ts';
import { createManualClock } from '../../support/manual-clock.ts';

/** A clock that stands still at 2026-01-01T00:00:00Z. */
const clock = createManualClock();
const open = (options: Partial<IamTokensOptions> = {}) =>
  new IamTokens({ clock, region: iamRegion, credentials: async () => iamCredentials, ...options });
const database = { host: 'db.abc123.eu-central-1.rds.amazonaws.com', port: 5432, user: 'gate house' };
const cache = { name: 'gatehouse', serverless: false, user: 'gate-house' };
/** Tokens with the same parts in another order are the same for AWS. */
const parts = (token: string) => token.split(/[?&]/).sort();

const signed = (service: string) =>
  `X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIDEXAMPLE%2F20260101%2Feu-central-1%2F${service}%2Faws4_request&X-Amz-Date=20260101T000000Z&X-Amz-Expires=900&X-Amz-SignedHeaders=host&X-Amz-Security-Token=a%2Bsession%2Ftoken%3D%3D&X-Amz-Signature=`;

describe('IAM tokens', () => {
  test('for RDS are the same as those of @aws-sdk/rds-signer', async () => {
    const token = await open().forDatabase(database);
    // Made by version 3.1164.0 of that package, with the same credentials and time.
    const theirs = `db.abc123.eu-central-1.rds.amazonaws.com:5432/?Action=connect&DBUser=gate%20house&${signed('rds-db')}9aad84c79264524755e3ff914a0f86f98675ea72b3baba06c7769787ecaf459d`;
    expect(parts(token)).toEqual(parts(theirs));
  });

  test.each([
    [false, '', '22e0fdc0cb94f138afbce1b8b9652597e7c1ebc84d35fc0b4513b62bc0960dcd'],
    [
      true,
      'ResourceType=ServerlessCache&',
      'ebb32ee7fcb53db87449f3ba2fb31480836036db385996ecac1e87797ad12324',
    ],
  ])(
    'for ElastiCache are the same as those of the example in its documentation (serverless: %s)',
    async (serverless, type, signature) => {
      const token = await open().forCache({ ...cache, serverless });
      // Made by the documentation's Python program with botocore 1.44.8, with the same credentials and time.
      const theirs = `gatehouse/?Action=connect&User=gate-house&${type}${signed('elasticache')}${signature}`;
      expect(parts(token)).toEqual(parts(theirs));
    },
  );

  test('have a correct signature and last 15 minutes', async () => {
    const ofDatabase = await open().forDatabase(database);
    const asks = { Action: 'connect', DBUser: 'gate house' };
    const host = `${database.host}:5432`;
    expect(checkIamToken(ofDatabase, 'rds-db', clock.now() + 899_000)).toEqual({ host, asks });
    expect(() => checkIamToken(ofDatabase, 'rds-db', clock.now() + 900_000)).toThrow('expired');
    expect(() => checkIamToken(ofDatabase.replace('gate', 'Gate'), 'rds-db', clock.now())).toThrow(
      'signature',
    );
    const ofCache = await open().forCache({ ...cache, serverless: true });
    expect(checkIamToken(ofCache, 'elasticache', clock.now())).toEqual({
      host: 'gatehouse',
      asks: { Action: 'connect', User: 'gate-house', ResourceType: 'ServerlessCache' },
    });
  });

  test('are made anew for each call, with the credentials of that time', async () => {
    let sessionToken = 'first';
    const moving = createManualClock();
    const tokens = open({ clock: moving, credentials: async () => ({ ...iamCredentials, sessionToken }) });
    const first = await tokens.forDatabase(database);
    moving.advance(1000);
    sessionToken = 'second';
    const second = await tokens.forDatabase(database);
    expect(first).toContain('X-Amz-Security-Token=first');
    expect(second).toContain('X-Amz-Security-Token=second');
    expect(second).toContain('X-Amz-Date=20260101T000001Z');
  });
});

describe('without AWS credentials', () => {
  const missing = async () => {
    throw Object.assign(new Error('Could not load credentials from any providers'), {
      name: 'CredentialsProviderError',
    });
  };

  test('a new pod waits for them, and says so once', async () => {
    let refusals = 2;
    const waiting: string[] = [];
    const credentials = async () => {
      refusals -= 1;
      return refusals < 0 ? iamCredentials : missing();
    };
    const tokens = open({ credentials, onWaiting: (reason) => waiting.push(reason) });
    expect(await tokens.forCache(cache)).toContain('gatehouse/?');
    expect(waiting).toEqual([expect.stringContaining('Could not load credentials')]);
  });

  test('a start ends with a sentence that says what to do', async () => {
    const token = open({ credentials: missing, startPatienceMs: 0 }).forDatabase(database);
    await expect(token).rejects.toThrow(ConfigurationError);
    await expect(token).rejects.toThrow(
      /^No IAM token can be made \(CredentialsProviderError: .*\)\. There are no AWS credentials: check the Pod Identity/,
    );
  });

  test('a process that had them does not wait again', async () => {
    let gone = false;
    const credentials = () => (gone ? missing() : Promise.resolve(iamCredentials));
    const waiting: string[] = [];
    const tokens = open({ credentials, onWaiting: (reason) => waiting.push(reason) });
    await tokens.forDatabase(database);
    gone = true;
    await expect(tokens.forDatabase(database)).rejects.toThrow('No IAM token can be made');
    expect(waiting).toEqual([]);
  });
});

test('without a region the start fails at once, and says which setting is missing', async () => {
  const credentials = async () => iamCredentials;
  const region = process.env.AWS_REGION;
  const file = process.env.AWS_CONFIG_FILE;
  delete process.env.AWS_REGION;
  process.env.AWS_CONFIG_FILE = '/dev/null';
  try {
    await expect(new IamTokens({ clock, credentials }).forDatabase(database)).rejects.toThrow(
      'Set AWS_REGION',
    );
  } finally {
    if (region !== undefined) process.env.AWS_REGION = region;
    if (file === undefined) delete process.env.AWS_CONFIG_FILE;
    else process.env.AWS_CONFIG_FILE = file;
  }
});
