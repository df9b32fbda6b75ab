import { VerifyError } from '@gatehouse/verify';
import type { Access } from './access.ts';

/**
 * For a service behind nginx with `auth_request` (`docs/verify.md`). Gatehouse checked the token and its revocation, and
 * nginx put the result into headers. Anyone can send such headers, so the service must be reachable through nginx alone.
 */
export const headerAccess: Access = {
  needs:
    (scope, { isCareful = false } = {}) =>
    async ({ headers }) => {
      if (wordsOf(headers['x-auth-subject']).length !== 1)
        throw new VerifyError('missing_token', 'The request did not come through the gateway.');
      if (!wordsOf(headers['x-auth-scope']).includes(scope))
        throw new VerifyError('insufficient_scope', `The access token needs the scope ${scope}.`, {
          parameters: { scope },
        });
      // `unchecked` comes only while Gatehouse can't reach its stores, and if it is allowed to answer nevertheless.
      if (isCareful && headers['x-auth-revocation'] !== 'checked')
        throw new VerifyError('revocation_unavailable', 'It is not known whether the token was revoked.');
    },
  subjectOf: ({ headers }) => wordsOf(headers['x-auth-subject'])[0] ?? '',
};

/** Lists are separated by spaces, and each part is percent-encoded. */
const wordsOf = (value: string | string[] | undefined): string[] =>
  typeof value === 'string' && value !== '' ? value.split(' ').map(decodeURIComponent) : [];
