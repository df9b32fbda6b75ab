import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  CreateSecretCommand,
  DescribeSecretCommand,
  PutSecretValueCommand,
  SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { SecretsManagerKeyStore } from '../../../adapters/aws/secrets-manager-key-store.ts';
import { parseKeySet } from '../../../provider/keys/key-set.ts';
import { ensureKeySet, rotateStoredKeySet } from '../../../provider/keys/rotation.ts';
import { systemClock as clock } from '../../../provider/lib/clock.ts';
import { ConfigurationError, StoreUnavailable } from '../../../provider/lib/errors.ts';
import { keyStoreContract } from '../../contract/key-store.ts';
import { freePort } from '../../support/free-port.ts';
import { type Moto, startMoto } from '../../support/servers/moto.ts';

jest.setTimeout(120_000);

let moto: Moto;
let admin: SecretsManagerClient;
beforeAll(async () => {
  moto = await startMoto();
  admin = new SecretsManagerClient(moto.client);
}, 300_000);
afterAll(async () => {
  admin?.destroy();
  await moto?.stop();
});

let secrets = 0;
/** Creates a secret without a value, as Terraform does. Returns its name. */
async function emptySecret(): Promise<string> {
  secrets += 1;
  const Name = `gatehouse/keys-${secrets}`;
  await admin.send(new CreateSecretCommand({ Name }));
  return Name;
}
const open = (secret: string) => new SecretsManagerKeyStore({ secret, client: moto.client });
const labelsOf = async (SecretId: string) => {
  const { VersionIdsToStages = {} } = await admin.send(new DescribeSecretCommand({ SecretId }));
  return Object.values(VersionIdsToStages).flat().sort();
};
const times = { tokenSeconds: 900, leadSeconds: 10_800, keptSeconds: 100_000 };

keyStoreContract('SecretsManagerKeyStore', async () => ({
  newPlace: async () => {
    const secret = await emptySecret();
    return { connect: () => open(secret) };
  },
  close: async () => {},
}));

describe('SecretsManagerKeyStore', () => {
  test('ten processes that start with a secret without a value get one key set', async () => {
    const secret = await emptySecret();
    const sets = await Promise.all(
      Array.from({ length: 10 }, () => ensureKeySet({ store: open(secret), clock })),
    );
    expect(new Set(sets.map(({ version }) => version)).size).toBe(1);
    expect(await labelsOf(secret)).toEqual(['AWSCURRENT']);
  });

  test('leaves no label of its own behind, whether it wins or loses', async () => {
    const secret = await emptySecret();
    await ensureKeySet({ store: open(secret), clock });
    const rotations = await Promise.all(
      [1, 2, 3, 4].map(() => rotateStoredKeySet({ store: open(secret), clock, times })),
    );
    expect(rotations.filter(({ outcome }) => outcome === 'rotated')).toHaveLength(1);
    expect(await labelsOf(secret)).toEqual(['AWSCURRENT', 'AWSPREVIOUS']);
  });

  test('rotates although a rotation of AWS left AWSPENDING behind, and leaves that label alone', async () => {
    const secret = await emptySecret();
    await ensureKeySet({ store: open(secret), clock });
    await admin.send(
      new PutSecretValueCommand({
        SecretId: secret,
        SecretString: 'left',
        VersionStages: ['AWSPENDING'],
      }),
    );
    expect((await rotateStoredKeySet({ store: open(secret), clock, times })).outcome).toBe('rotated');
    expect(parseKeySet((await open(secret).load())?.value ?? '').keys).toHaveLength(2);
    expect(await labelsOf(secret)).toEqual(['AWSCURRENT', 'AWSPENDING', 'AWSPREVIOUS']);
  });

  test('says which secret is missing and what to do', async () => {
    const load = open('gatehouse/missing').load();
    await expect(load).rejects.toThrow(ConfigurationError);
    await expect(load).rejects.toThrow(/secret gatehouse\/missing can't be used .*Create it without a value/);
    await expect(open('gatehouse/missing').save('value', undefined)).rejects.toThrow(ConfigurationError);
  });

  test('reports an unreachable Secrets Manager as a store that is away', async () => {
    const client = { ...moto.client, endpoint: `http://127.0.0.1:${await freePort()}`, maxAttempts: 1 };
    await expect(new SecretsManagerKeyStore({ secret: 'one', client }).load()).rejects.toThrow(
      StoreUnavailable,
    );
  });

  test('waits for credentials at the first call, and says what to do if none come', async () => {
    const secret = await emptySecret();
    let calls = 0;
    const credentials = async () => {
      calls += 1;
      if (calls < 3) throw Object.assign(new Error('not yet'), { name: 'CredentialsProviderError' });
      return moto.client.credentials;
    };
    const client = { ...moto.client, credentials };
    expect(await new SecretsManagerKeyStore({ secret, client }).load()).toBeUndefined();
    expect(calls).toBe(3);
    calls = -100;
    const impatient = new SecretsManagerKeyStore({ secret, client, credentialsWaitMs: 0 });
    await expect(impatient.load()).rejects.toThrow(/no AWS credentials: .*Pod Identity/);
  });
});

describe('a save whose responses get lost', () => {
  let proxy: Server;
  let endpoint: string;
  let dropped: string[];

  // Passes every call on to moto. Of the first call of each operation that writes, it drops the response.
  beforeAll(async () => {
    proxy = createServer(async (request, response) => {
      const parts: Buffer[] = [];
      for await (const part of request) parts.push(part as Buffer);
      const operation = String(request.headers['x-amz-target']).split('.')[1] ?? '';
      const answer = await fetch(moto.url, {
        method: 'POST',
        headers: Object.fromEntries(
          ['content-type', 'x-amz-target', 'authorization', 'x-amz-date'].flatMap((name) => {
            const header = request.headers[name];
            return header === undefined ? [] : [[name, String(header)]];
          }),
        ),
        body: Buffer.concat(parts),
      });
      const body = await answer.text();
      if (/^(Put|Update)/.test(operation) && !dropped.includes(operation)) {
        dropped.push(operation);
        return void request.socket.destroy();
      }
      response.writeHead(answer.status, Object.fromEntries(answer.headers)).end(body);
    });
    await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
    endpoint = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
  });
  afterAll(() => new Promise((resolve) => proxy.close(resolve)));

  test('is known to have succeeded', async () => {
    const secret = await emptySecret();
    await open(secret).save('first', undefined);
    const version = (await open(secret).load())?.version;
    dropped = [];
    const store = new SecretsManagerKeyStore({ secret, client: { ...moto.client, endpoint } });
    expect(await store.save('second', version)).toBe(true);
    expect(dropped).toEqual(['PutSecretValue', 'UpdateSecretVersionStage']);
    expect((await open(secret).load())?.value).toBe('second');
    expect(await labelsOf(secret)).toEqual(['AWSCURRENT', 'AWSPREVIOUS']);
  });
});
