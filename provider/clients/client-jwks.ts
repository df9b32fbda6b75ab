import { createPublicKey, type JsonWebKey } from 'node:crypto';
import { z } from 'zod';
import { clientAssertionAlgs } from '../lib/client-assertion-algs.ts';

const privateMembers = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k', 'priv'];

const text = z.string().min(1);
const shared = {
  kid: text.optional(),
  use: z.literal('sig', 'must be "sig": the key only checks signatures').optional(),
  x5c: z.array(text).optional(),
};

/** What a key may say that it is for: an algorithm with which the server accepts client assertions. */
const alg = <const Name extends string>(names: readonly Name[]) =>
  z
    .enum(names, `must be ${names.join(' or ')}: other algorithms are not accepted from a key of this kind`)
    .optional();

function strength(jwk: Record<string, unknown>): string | undefined {
  try {
    const key = createPublicKey({ key: jwk as JsonWebKey, format: 'jwk' });
    const bits = key.asymmetricKeyDetails?.modulusLength ?? 2048;
    return bits < 2048 ? `is an RSA key of ${bits} bits: use at least 2048` : undefined;
  } catch {
    return 'is not a public key that can be read: check n and e, or crv, x and y';
  }
}

const publicJwk = z
  .discriminatedUnion(
    'kty',
    [
      z.looseObject({
        kty: z.literal('RSA'),
        n: text,
        e: text,
        alg: alg(clientAssertionAlgs.RSA),
        ...shared,
      }),
      z.looseObject({
        kty: z.literal('EC'),
        crv: z.enum(['P-256'], 'must be P-256: client assertions are accepted with ES256 only'),
        x: text,
        y: text,
        alg: alg(clientAssertionAlgs.EC),
        ...shared,
      }),
      z.looseObject({
        kty: z.literal('OKP'),
        crv: z.literal('Ed25519'),
        x: text,
        alg: alg(clientAssertionAlgs.OKP),
        ...shared,
      }),
    ],
    { error: 'must be a public key with kty RSA, EC or OKP' },
  )
  .superRefine((jwk, context) => {
    const secret = privateMembers.filter((name) => Object.hasOwn(jwk, name));
    const problem =
      secret.length > 0
        ? `holds private parts (${secret.join(', ')}): put only the public key here, and replace this key`
        : strength(jwk);
    if (problem !== undefined) context.addIssue({ code: 'custom', message: problem });
  });

/** A client's public keys (RFC 7517 §5): at least one key, and no key with private parts. */
export const clientJwksSchema = z.strictObject({
  keys: z.array(publicJwk).min(1, 'must hold at least one key').max(20),
});
