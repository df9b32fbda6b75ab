import type { Recovery } from '../accounts/recovery.ts';
import { GatehouseError } from '../lib/errors.ts';
import { type Endpoint, endpoint } from './endpoint.ts';
import { recoverBody, recoverPasswordBody, recoverResponse } from './schemas.ts';

export interface RecoveryEndpointsDeps {
  /** Undefined when mail is off. */
  recovery?: Recovery | undefined;
}

/** Recovery of an account by apps that show their own pages. */
export const recoveryEndpoints = (deps: RecoveryEndpointsDeps): Endpoint[] => [
  recover(deps),
  recoverPassword(deps),
];

function recoveryOf({ recovery }: RecoveryEndpointsDeps): Recovery {
  if (recovery) return recovery;
  throw new GatehouseError(
    'recovery_disabled',
    'This server sends no mails. An administrator can set a password.',
  );
}

const recover = (deps: RecoveryEndpointsDeps) =>
  endpoint({
    method: 'post',
    path: '/auth/recover',
    summary: 'Forgot password: ask for a mail',
    description:
      'Sends a mail with a link and a code to the account of this address. The answer and its time are the same for an address without an account. The link leads to a page of this server; the code counts at `/auth/recover/password`, together with the `flow` of this answer.',
    body: recoverBody,
    success: { status: 202, description: 'Taken.', schema: recoverResponse },
    problems: ['recovery_disabled', 'validation_failed', 'too_many_requests', 'overloaded'],
    handle: async ({ body }) => {
      const { flow } = await recoveryOf(deps).request({ email: body.email, language: body.language });
      return { status: 'accepted', flow };
    },
  });

const recoverPassword = (deps: RecoveryEndpointsDeps) =>
  endpoint({
    method: 'post',
    path: '/auth/recover/password',
    summary: 'Forgot password: set a new one',
    description:
      'Sets a new password with the code of the mail and the `flow` that `/auth/recover` gave, or with the `token` of the link. It ends every session and every token of the account, verifies the address and keeps the second factor. A refused password spends nothing, so the same code can be sent again; after five wrong codes only the link works.',
    body: recoverPasswordBody,
    success: { status: 204, description: 'The password is set. Sign in with it.' },
    problems: [
      'recovery_disabled',
      'invalid_one_time_token',
      'validation_failed',
      'too_many_requests',
      'overloaded',
    ],
    handle: async ({ body: { token, flow, code, newPassword, language } }) => {
      const proof = token === undefined ? { flow: flow ?? '', code: code ?? '' } : { token };
      await recoveryOf(deps).setPassword({ proof, newPassword, language });
    },
  });
