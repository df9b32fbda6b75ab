import { createHash, randomUUID } from 'node:crypto';
import { calculateJwkThumbprint, exportJWK, generateKeyPair, SignJWT } from 'jose';

/** A key that an app proves it has (RFC 9449). */
export interface DpopKey {
  thumbprint: string;
  /** Makes a proof for one request, as a header. Pass the access token if the request carries one. */
  header(method: string, url: string, accessToken?: string): Promise<{ dpop: string }>;
}

/** @param options.aheadSeconds how far the app's clock is ahead */
export async function createDpopKey({ aheadSeconds = 0 } = {}): Promise<DpopKey> {
  const { publicKey, privateKey } = await generateKeyPair('ES256');
  const jwk = await exportJWK(publicKey);
  return {
    thumbprint: await calculateJwkThumbprint(jwk),
    header: async (htm, htu, accessToken) => ({
      dpop: await new SignJWT({ htm, htu, jti: randomUUID(), ...athOf(accessToken) })
        .setProtectedHeader({ alg: 'ES256', typ: 'dpop+jwt', jwk })
        .setIssuedAt(Math.floor(Date.now() / 1000) + aheadSeconds)
        .sign(privateKey),
    }),
  };
}

/** RFC 9449 §4.2. */
const athOf = (accessToken: string | undefined) =>
  accessToken === undefined ? {} : { ath: createHash('sha256').update(accessToken).digest('base64url') };
