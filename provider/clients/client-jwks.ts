import { createPublicKey, type JsonWebKey } from 'node:crypto';
import { z } from 'zod';

const privateMembers = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k', 'priv'];

const text = z.string().min(1);
const shared = {
  kid: text.optional(),
  alg: text.optional(),
  use: z.literal('sig', 'must be "sig": the key only checks signatures').optional(),
  x5c: z.array(text).optional(),
};

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
      z.looseObject({ kty: z.literal('RSA'), n: text, e: text, ...shared }),
      z.looseObject({
        kty: z.literal('EC'),
        crv: z.enum(['P-256', 'P-384', 'P-521']),
        x: text,
        y: text,
        ...shared,
      }),
      z.looseObject({ kty: z.literal('OKP'), crv: z.literal('Ed25519'), x: text, ...shared }),
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
