import { z } from 'zod';
import { newPasskeyAnswerSchema, passkeyAnswerSchema } from '../lib/passkey-answers.ts';

const clientId = z
  .string()
  .min(1)
  .max(128)
  .optional()
  .describe('The first-party client to act for; the default client when left out.');

/** Longer values are refused before anything is computed from them. */
const longest = { email: 254, password: 1024, refreshToken: 512, challenge: 4096, code: 64 };

export const loginBody = z.strictObject({
  email: z.string('Give the email address as text.').max(longest.email, 'Use at most 254 characters.'),
  password: z.string('Give the password as text.').max(longest.password, 'Use at most 1024 characters.'),
  clientId,
});

const answerOf = (call: string) =>
  `The answer to \`${call}\`, as \`PublicKeyCredential.toJSON()\` gives it (WebAuthn Level 3 §5.1).`;

export const secondFactorBody = z.strictObject({
  challenge: z
    .string('Give the challenge of the first answer as text.')
    .max(longest.challenge, 'That is too long.')
    .describe('The `challenge` that `/auth/login` gave.'),
  code: z
    .string('Give the code as text.')
    .min(1, 'Give the code.')
    .max(longest.code, 'That is too long.')
    .describe('The six digits of the authenticator app, or a recovery code.'),
  clientId,
});

export const registerBody = z.strictObject({
  email: z.string('Give the email address as text.').max(longest.email, 'Use at most 254 characters.'),
  password: z.string('Give the password as text.').max(longest.password, 'Use at most 1024 characters.'),
});

const language = z
  .string()
  .max(35, 'That is too long.')
  .optional()
  .describe('The language of the mail, like `de`; the `locale` of the account when left out.');

export const recoverBody = z.strictObject({
  email: z.string('Give the email address as text.').max(longest.email, 'Use at most 254 characters.'),
  language,
});

export const recoverPasswordBody = z
  .strictObject({
    token: z.string().max(longest.code, 'That is too long.').optional().describe('The token of the link.'),
    flow: z
      .string()
      .max(longest.code, 'That is too long.')
      .optional()
      .describe('The `flow` that `/auth/recover` gave.'),
    code: z.string().max(longest.code, 'That is too long.').optional().describe('The code in the mail.'),
    newPassword: z
      .string('Give the new password as text.')
      .max(longest.password, 'Use at most 1024 characters.'),
    language,
  })
  .refine(
    ({ token, flow, code }) => (token === undefined) === (flow !== undefined && code !== undefined),
    'Send either token, or flow and code.',
  );

export const refreshBody = z.strictObject({
  refreshToken: z
    .string('Give the refresh token as text.')
    .min(1)
    .max(longest.refreshToken, 'That is too long.'),
  clientId,
});

export const tokensResponse = z.object({
  accessToken: z.string().describe('A JWT (RFC 9068); send it as `Authorization: Bearer`.'),
  refreshToken: z
    .string()
    .optional()
    .describe('Opaque; each use gives a new one. Only for clients whose document lists `refresh_token`.'),
  expiresIn: z.number().int().describe('Seconds the access token lives.'),
  newPasswordNeeded: z
    .literal(true)
    .optional()
    .describe(
      'The hash of the password was imported and other passwords match it too. Send the person to the account page to choose a new one.',
    ),
});

export const confirmBody = z.strictObject({
  confirmation: z
    .string('Give the confirmation of the first answer as text.')
    .max(longest.challenge, 'That is too long.')
    .describe('The `confirmation` that `/auth/register` gave.'),
  code: z
    .string('Give the code as text.')
    .min(1, 'Give the code.')
    .max(longest.code, 'That is too long.')
    .describe('The code of the mail.'),
});

export const acceptedResponse = z.object({
  status: z.literal('accepted'),
  confirmation: z
    .string()
    .optional()
    .describe(
      'Only if the server asks for a proof of the address: send it to `/auth/register/confirm` within 30 minutes, with the code of the mail.',
    ),
});

export const recoverResponse = z.object({
  status: z.literal('accepted'),
  flow: z.string().describe('Send it with the code to `/auth/recover/password`. It is valid for 30 minutes.'),
});

export const profileResponse = z.object({
  id: z.string(),
  email: z.string().optional().describe('Only with the scope `email`, or for first-party clients.'),
  emailVerified: z.boolean().optional(),
  roles: z.array(z.string()).optional().describe('First-party clients only.'),
  permissions: z.array(z.string()).optional(),
});

/** RFC 9457. */
export const problem = z.object({
  type: z.string(),
  title: z.string(),
  status: z.number().int(),
  detail: z.string(),
  code: z.string().describe('Stable; match on this.'),
  requestId: z.string(),
  errors: z
    .array(z.object({ pointer: z.string(), message: z.string() }))
    .optional()
    .describe('The fields that are wrong, by JSON Pointer.'),
  challenge: z
    .string()
    .optional()
    .describe('With `second_factor_required`: send it to `/auth/login/second-factor` within five minutes.'),
  methods: z
    .array(z.enum(['otp', 'passkey', 'recovery_code']))
    .optional()
    .describe('With `second_factor_required`: what is accepted.'),
  passkey: z
    .looseObject({})
    .optional()
    .describe(
      'With the method `passkey`: options for `PublicKeyCredential.parseRequestOptionsFromJSON` (WebAuthn Level 3 §5.1.9).',
    ),
});

const passkeyChallenge = z
  .string('Give the challenge of the options as text.')
  .max(longest.challenge, 'That is too long.')
  .describe('The `challenge` of the same answer as the options.');

export const passkeyOptionsBody = z.strictObject({ clientId });

export const passkeyLoginBody = z.strictObject({
  challenge: passkeyChallenge,
  credential: passkeyAnswerSchema.describe(answerOf('navigator.credentials.get')),
  clientId,
});

export const passkeyBody = z.strictObject({
  challenge: passkeyChallenge,
  credential: newPasskeyAnswerSchema.describe(answerOf('navigator.credentials.create')),
  name: z
    .string()
    .max(200, 'Use at most 200 characters.')
    .optional()
    .describe('For the list on the account page.'),
});

const sealedChallenge = z.string().describe('Send it back with the answer.');

export const passkeyRequest = z.object({
  challenge: sealedChallenge,
  options: z
    .looseObject({})
    .describe('For `PublicKeyCredential.parseRequestOptionsFromJSON` (WebAuthn Level 3 §5.1.9).'),
});

export const passkeyOffer = z.object({
  challenge: sealedChallenge,
  options: z
    .looseObject({})
    .describe('For `PublicKeyCredential.parseCreationOptionsFromJSON` (WebAuthn Level 3 §5.1.8).'),
});

export const passkeyAdded = z.object({
  id: z.string().describe('The credential id.'),
  recoveryCodes: z
    .array(z.string())
    .optional()
    .describe('Only with the first second factor of the account. They can’t be read again.'),
});
