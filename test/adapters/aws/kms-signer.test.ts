import { createHash, createPublicKey, verify } from 'node:crypto';
import { CreateKeyCommand, KMSClient } from '@aws-sdk/client-kms';
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { KmsSigner } from '../../../adapters/aws/kms-signer.ts';
import { ConfigurationError, StoreUnavailable } from '../../../provider/lib/errors.ts';
import { freePort } from '../../support/free-port.ts';
import { type Moto, startMoto } from '../../support/servers/moto.ts';

jest.setTimeout(120_000);

let moto: Moto;
let admin: KMSClient;
let arn: string;
let signer: KmsSigner;
beforeAll(async () => {
  moto = await startMoto();
  admin = new KMSClient(moto.client);
  arn = await createKey('RSA_2048');
  signer = new KmsSigner({ client: moto.client });
}, 300_000);
afterAll(async () => {
  admin?.destroy();
  await moto?.stop();
});

async function createKey(KeySpec: 'RSA_2048' | 'ECC_NIST_P256'): Promise<string> {
  const { KeyMetadata } = await admin.send(new CreateKeyCommand({ KeySpec, KeyUsage: 'SIGN_VERIFY' }));
  return KeyMetadata?.Arn ?? '';
}

test('signs a digest, and the public part verifies it', async () => {
  const { arn: found, n, e } = await signer.describe(arn.split('/').at(-1) ?? '');
  expect(arn).toContain(found);
  const text = Buffer.from('header.payload');
  const signature = await signer.sign(arn, createHash('sha256').update(text).digest());
  const key = createPublicKey({ key: { kty: 'RSA', n, e }, format: 'jwk' });
  expect(verify('sha256', text, key, signature)).toBe(true);
});

test('says what is wrong with a key that is missing or of another kind', async () => {
  const other = await createKey('ECC_NIST_P256');
  await expect(signer.describe(other)).rejects.toThrow(ConfigurationError);
  await expect(signer.describe(other)).rejects.toThrow(/RSA_2048 and the key usage SIGN_VERIFY/);
  await expect(signer.describe('alias/none')).rejects.toThrow(
    /NotFoundException.*kms:GetPublicKey and kms:Sign/,
  );
});

test('reports an unreachable KMS as a service that is away', async () => {
  const client = { ...moto.client, endpoint: `http://127.0.0.1:${await freePort()}`, maxAttempts: 1 };
  const away = new KmsSigner({ client });
  await expect(away.sign(arn, createHash('sha256').digest())).rejects.toThrow(StoreUnavailable);
  await expect(away.describe(arn)).rejects.toThrow(StoreUnavailable);
});
