import { createPublicKey } from 'node:crypto';
import { GetPublicKeyCommand, KMSClient, type KMSClientConfig, SignCommand } from '@aws-sdk/client-kms';
import { ConfigurationError, StoreUnavailable } from '../../provider/lib/errors.ts';
import type { RemoteKey, RemoteSigner } from '../../provider/ports/remote-signer.ts';

const algorithm = 'RSASSA_PKCS1_V1_5_SHA_256';

/** Errors that do not pass by themselves. */
const permanent =
  /^(NotFound|AccessDenied|Disabled|InvalidKeyUsage|UnsupportedOperation|KMSInvalidState|InvalidArn)/;

/** Keys in AWS KMS. */
export class KmsSigner implements RemoteSigner {
  readonly #client: KMSClient;

  /** @param client settings of the SDK's client; by default the SDK finds region and credentials itself */
  constructor({ client = {} }: { client?: KMSClientConfig } = {}) {
    const requestHandler = { connectionTimeout: 1000, requestTimeout: 1500, throwOnRequestTimeout: true };
    this.#client = new KMSClient({ maxAttempts: 3, requestHandler, ...client });
  }

  async describe(name: string): Promise<RemoteKey> {
    try {
      const found = await this.#client.send(new GetPublicKeyCommand({ KeyId: name }));
      const { KeyId: arn = name, PublicKey = new Uint8Array(), SigningAlgorithms = [] } = found;
      if (!SigningAlgorithms.includes(algorithm)) {
        throw new ConfigurationError([
          `The KMS key ${name} can't sign with RS256. Create one with the key spec RSA_2048 and the key usage SIGN_VERIFY.`,
        ]);
      }
      const key = createPublicKey({ key: Buffer.from(PublicKey), format: 'der', type: 'spki' });
      const { n = '', e = '' } = key.export({ format: 'jwk' });
      return { arn, n, e };
    } catch (error) {
      if (error instanceof ConfigurationError) throw error;
      if (!permanent.test((error as Error).name)) throw new StoreUnavailable('KMS', error);
      throw new ConfigurationError([
        `The KMS key ${name} can't be used (${(error as Error).name}). Check its ARN and AWS_REGION, that it is enabled, and that this role may use kms:GetPublicKey and kms:Sign.`,
      ]);
    }
  }

  async sign(arn: string, digest: Uint8Array): Promise<Uint8Array> {
    try {
      const { Signature } = await this.#client.send(
        new SignCommand({ KeyId: arn, Message: digest, MessageType: 'DIGEST', SigningAlgorithm: algorithm }),
      );
      if (Signature === undefined) throw new Error('KMS gave no signature');
      return Signature;
    } catch (error) {
      throw new StoreUnavailable('KMS', error);
    }
  }
}
