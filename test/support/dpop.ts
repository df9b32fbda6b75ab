import { randomUUID } from 'node:crypto';
import { calculateJwkThumbprint, exportJWK, generateKeyPair, SignJWT } from 'jose';

/** A key that an app proves it has (RFC 9449). */
export interface DpopKey {
  thumbprint: string;
  /** A proof for one request, as a header. */
  header(method: string, url: string): Promise<{ dpop: string }>;
}

export async function createDpopKey(): Promise<DpopKey> {
  const { publicKey, privateKey } = await generateKeyPair('ES256');
  const jwk = await exportJWK(publicKey);
  return {
    thumbprint: await calculateJwkThumbprint(jwk),
    header: async (htm, htu) => ({
      dpop: await new SignJWT({ htm, htu, jti: randomUUID() })
        .setProtectedHeader({ alg: 'ES256', typ: 'dpop+jwt', jwk })
        .setIssuedAt()
        .sign(privateKey),
    }),
  };
}
