import {
  CreateSecretCommand,
  DeleteSecretCommand,
  PutSecretValueCommand,
  SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { AwsSecrets, type AwsSecretsOptions } from '../../../adapters/aws/secrets.ts';
import { newId } from '../../../provider/lib/ids.ts';
import type { SecretChange } from '../../../provider/ports/secrets.ts';
import { secretsContract } from '../../contract/secrets.ts';
import { createManualClock } from '../../support/manual-clock.ts';
import { type DecidingProxy, openAwsProxy } from '../../support/servers/aws-proxy.ts';
import { type Moto, startMoto } from '../../support/servers/moto.ts';

let moto: Moto;
let admin: SecretsManagerClient;
beforeAll(async () => {
  moto = await startMoto();
  admin = new SecretsManagerClient(moto.client);
}, 240_000);
afterAll(async () => {
  admin?.destroy();
  await moto?.stop();
});

async function create(text: string): Promise<string> {
  const name = `gatehouse/${newId('secret')}`;
  await admin.send(new CreateSecretCommand({ Name: name, SecretString: text }));
  return `secretsmanager:${name}`;
}

async function put(reference: string, text: string, stage = 'AWSCURRENT'): Promise<void> {
  const [SecretId] = reference.replace('secretsmanager:', '').split('#');
  await admin.send(new PutSecretValueCommand({ SecretId, SecretString: text, VersionStages: [stage] }));
}

secretsContract('AWS Secrets Manager', async () => {
  const clock = createManualClock();
  return {
    secrets: new AwsSecrets({ clock, client: moto.client }),
    create,
    replace: put,
    missing: 'secretsmanager:gatehouse/none',
    afterCache: () => clock.advance(60_001),
    close: async () => {},
  };
});

describe('secrets in AWS Secrets Manager', () => {
  const clock = createManualClock();
  const changes: SecretChange[] = [];
  let proxy: DecidingProxy;
  beforeEach(async () => {
    changes.length = 0;
    proxy = await openAwsProxy(moto.url);
  });
  afterEach(() => proxy.close());

  const open = (options: Partial<AwsSecretsOptions> = {}) => {
    const { client = {}, ...others } = options;
    return new AwsSecrets({
      clock,
      client: { ...moto.client, endpoint: proxy.url, maxAttempts: 1, ...client },
      onChange: (change) => changes.push(change),
      startPatienceMs: 0,
      ...others,
    });
  };
  const denied = { status: 400, type: 'AccessDeniedException', message: 'arn:role is not authorized' };

  test('keys of one secret come from one version in one call', async () => {
    const reference = await create('{"username":"app","password":"one"}');
    const secrets = open();
    const both = await Promise.all([
      secrets.resolve(`${reference}#username`),
      secrets.resolve(`${reference}#password`),
    ]);
    expect(both).toEqual(['app', 'one']);
    expect(proxy.requests).toHaveLength(1);
  });

  test('a secret can be named by its ARN', async () => {
    const { ARN } = await admin.send(new CreateSecretCommand({ Name: newId('arn'), SecretString: 'by ARN' }));
    expect(await open().resolve(`secretsmanager:${ARN}`)).toBe('by ARN');
  });

  test('a value is read again after 45 seconds, and not before', async () => {
    const reference = await create('one');
    const secrets = open();
    await secrets.resolve(reference);
    await put(reference, 'two');
    clock.advance(44_999);
    expect(await secrets.resolve(reference)).toBe('one');
    expect(proxy.requests).toHaveLength(1);
    clock.advance(2);
    expect(await secrets.resolve(reference)).toBe('two');
  });

  test.each([
    ['no JSON', 'plain', 'it holds no JSON'],
    ['no such key', '{"other":"hunter2"}', 'has no text under this key'],
    ['a key that objects inherit', '{}', 'has no text under this key'],
    ['null', 'null', 'has no text under this key'],
  ])('a key of %s causes an error without the secret', async (_, text, reason) => {
    const reference = `${await create(text)}#toString`;
    const answer = open().resolve(reference);
    await expect(answer).rejects.toThrow(reason);
    await expect(answer).rejects.toThrow(reference);
    await expect(answer).rejects.not.toThrow(/plain|hunter2/);
  });

  test('the last good value stays in use while the secret is gone, refused or broken, and this is reported once', async () => {
    const reference = `${await create('{"password":"good"}')}#password`;
    const secrets = open();
    expect(await secrets.resolve(reference)).toBe('good');
    proxy.decide(() => denied);
    for (let reads = 0; reads < 3; reads++) {
      clock.advance(60_001);
      expect(await secrets.resolve(reference)).toBe('good');
    }
    expect(await secrets.candidates(reference)).toEqual(['good']);
    expect(changes).toEqual([
      { state: 'outdated', reference, reason: 'AccessDeniedException: arn:role is not authorized' },
    ]);
    proxy.decide(() => 'pass');
    await put(reference, 'no JSON any more');
    clock.advance(60_001);
    expect(await secrets.resolve(reference)).toBe('good');
    await put(reference, '{"password":"better"}');
    clock.advance(60_001);
    expect(await secrets.resolve(reference)).toBe('better');
    expect(changes.at(-1)).toEqual({ state: 'current', reference });
    await admin.send(new DeleteSecretCommand({ SecretId: reference.slice(15).split('#')[0] }));
    clock.advance(60_001);
    expect(await secrets.resolve(reference)).toBe('better');
  });

  test('a Secrets Manager that does not answer delays no one who has a good value', async () => {
    const reference = await create('good');
    const secrets = open({ refreshPatienceMs: 50 });
    await secrets.resolve(reference);
    proxy.decide(() => 'hang');
    clock.advance(60_001);
    expect(await secrets.resolve(reference)).toBe('good');
    expect(changes.map(({ state }) => state)).toEqual(['outdated']);
  });

  test('after a failed read, the next one waits', async () => {
    const reference = await create('good');
    const secrets = open();
    await secrets.resolve(reference);
    proxy.decide(() => denied);
    clock.advance(60_001);
    for (let reads = 0; reads < 5; reads++) await secrets.resolve(reference);
    expect(proxy.requests).toHaveLength(2);
  });

  test('during a rotation, the pending value is a candidate too, and parallel callers share one read', async () => {
    const reference = await create('{"password":"old"}');
    const secrets = open();
    await secrets.resolve(`${reference}#password`);
    await put(reference, '{"password":"next"}', 'AWSPENDING');
    proxy.requests.length = 0;
    const asked = Array.from({ length: 10 }, () => secrets.candidates(`${reference}#password`));
    for (const values of await Promise.all(asked)) expect(values).toEqual(['old', 'next']);
    const stages = proxy.requests.map(({ body }) => body.VersionStage);
    expect(stages.sort()).toEqual(['AWSCURRENT', 'AWSPENDING']);
  });

  test('at the first start, reads are tried again while there are no credentials or no rights yet', async () => {
    const reference = await create('there');
    let asked = 0;
    const credentials = async () => {
      asked += 1;
      if (asked < 3) throw Object.assign(new Error('No credentials'), { name: 'CredentialsProviderError' });
      return moto.client.credentials;
    };
    proxy.decide(() => (proxy.requests.length < 2 ? denied : 'pass'));
    const secrets = open({
      startPatienceMs: 30_000,
      client: { credentials },
      clock: { now: () => performance.now() },
    });
    const both = await Promise.all([secrets.resolve(reference), secrets.resolve(reference)]);
    expect(both).toEqual(['there', 'there']);
    expect(changes.map(({ state }) => state)).toEqual(['waiting', 'current']);
    // Later, a reference that can't be read fails at once.
    proxy.decide(() => denied);
    await expect(secrets.resolve('secretsmanager:another')).rejects.toThrow('AccessDeniedException');
  });

  test('the wait at the first start is bounded', async () => {
    const reference = await create('there');
    proxy.decide(() => denied);
    const secrets = open({ startPatienceMs: 600, clock: { now: () => performance.now() } });
    await expect(secrets.resolve(reference)).rejects.toThrow('Allow secretsmanager:GetSecretValue');
    expect(proxy.requests.length).toBeGreaterThan(1);
  });

  test.each([
    [{ status: 400, type: 'ResourceNotFoundException' }, 'Check the name and the region.'],
    [{ status: 400, type: 'InvalidRequestException' }, 'marked for deletion'],
    [{ status: 400, type: 'DecryptionFailure' }, 'Allow kms:Decrypt'],
    [{ status: 500, type: 'InternalServiceError' }, 'Check the network path'],
  ])('an error says what to do (%j)', async (fault, advice) => {
    proxy.decide(() => fault);
    await expect(open().resolve('secretsmanager:a#b')).rejects.toThrow(
      new RegExp(`^The secret secretsmanager:a#b can't be read \\(.*${fault.type}.*\\)\\. .*${advice}`),
    );
  });

  test('a mistake that lasts is not tried again at the start', async () => {
    const secrets = open({ startPatienceMs: 30_000 });
    await expect(secrets.resolve('secretsmanager:none')).rejects.toThrow('Check the name');
    expect(proxy.requests).toHaveLength(1);
  });
});
