import { z } from 'zod';

/*
 * The answers of browsers and apps about passkeys, as JSON. Members that nothing reads are dropped.
 */

const binary = (most: number) =>
  z
    .string()
    .max(most)
    .regex(/^[A-Za-z0-9_-]+$/, 'must be base64url');

/** A credential id has at most 1023 bytes (WebAuthn §5.1.3, step on the length of an id). */
const credentialId = binary(1364);

const credential = { id: credentialId, rawId: credentialId, type: z.literal('public-key') };

/** The answer of a browser or an app to `CreationOptions` (WebAuthn §5.1, RegistrationResponseJSON). */
export const newPasskeyAnswerSchema = z.object({
  ...credential,
  response: z.object({
    clientDataJSON: binary(4096),
    attestationObject: binary(16_384),
    transports: z.array(z.string().max(32)).max(10).optional(),
  }),
});

/** The answer of a browser or an app to `RequestOptions` (WebAuthn §5.1, AuthenticationResponseJSON). */
export const passkeyAnswerSchema = z.object({
  ...credential,
  response: z.object({
    clientDataJSON: binary(4096),
    authenticatorData: binary(4096),
    signature: binary(4096),
    userHandle: binary(86).nullish(),
  }),
});

export type NewPasskeyAnswer = z.infer<typeof newPasskeyAnswerSchema>;
export type PasskeyAnswer = z.infer<typeof passkeyAnswerSchema>;
