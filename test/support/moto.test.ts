import {
  CreateSecretCommand,
  GetSecretValueCommand,
  SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type Moto, startMoto } from './servers/moto.ts';
import { waitFor } from './wait-for.ts';

let moto: Moto;
beforeAll(async () => {
  moto = await startMoto();
}, 300_000);
afterAll(() => moto?.stop());

test('the AWS SDK reads from moto what it wrote there, and waits while moto is stalled', async () => {
  const client = new SecretsManagerClient(moto.client);
  await client.send(new CreateSecretCommand({ Name: 'one', SecretString: 'value' }));
  const resume = await moto.stall();
  let answered = false;
  const reading = client.send(new GetSecretValueCommand({ SecretId: 'one' })).finally(() => {
    answered = true;
  });
  await expect(fetch(moto.url, { signal: AbortSignal.timeout(300) })).rejects.toThrow();
  expect(answered).toBe(false);
  await resume();
  await waitFor(() => answered);
  expect((await reading).SecretString).toBe('value');
  client.destroy();
});
