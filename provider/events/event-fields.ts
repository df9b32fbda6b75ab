import { z } from 'zod';

/** The fields that several types of events have. */

export const account = {
  id: z.string().min(1).describe("the account's id, the `sub` of its tokens"),
  email: z.string().min(1).describe('its email address at that time'),
};

export const origin = {
  actor: z
    .string()
    .optional()
    .describe(
      'the actor: the id of an account or a client, or `operator` for the command line; missing if it is not known',
    ),
  ip: z.string().optional().describe('the client address of the request; missing if there was no request'),
};

export const factor = { method: z.string().describe('`totp`: an authenticator app (RFC 6238)') };

export const passkey = {
  passkeyId: z.string().describe('the credential id of the passkey'),
  name: z.string().describe('the name that the person gave it'),
};

export const logout = {
  clientId: z.string().describe('the client'),
  logoutId: z.string().describe('the id that `gatehouse logouts failed` shows'),
  sid: z
    .string()
    .optional()
    .describe(
      'the `sid` of the ended session in the id tokens of the client; missing if the client gets none',
    ),
};

export const difference = {
  added: z.array(z.string()).describe('ids that are new'),
  changed: z.array(z.string()).describe('ids whose content changed'),
  removed: z.array(z.string()).describe('ids that were removed'),
};
