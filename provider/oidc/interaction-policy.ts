import { decodeJwt } from 'jose';
import { errors, type KoaContextWithOIDC, interactionPolicy as library } from 'oidc-provider';
import { passwordSignIn } from '../lib/password-sign-in.ts';

/**
 * This policy decides when a person sees a prompt. It adds two checks to those of the library. First, the person must
 * sign in again if the account of the session is deleted, disabled or was signed out everywhere. Second, the app must
 * get the person and the kind of sign-in that it expects. The prompt `select_account` (Core §3.1.2.1) comes before the
 * others, because the account that the person chooses decides about them.
 */
export function interactionPolicy() {
  const policy = library.base();
  const selectAccount = new library.Prompt({ name: 'select_account', requestable: true });
  selectAccount.checks.add(acrCheck());
  policy.add(selectAccount, 0);
  const ended = new library.Check(
    'session_ended',
    'the session was ended',
    'login_required',
    (ctx: KoaContextWithOIDC) => {
      const signedIn = ctx.oidc.session?.accountId !== undefined;
      return signedIn && !ctx.oidc.account ? library.Check.REQUEST_PROMPT : library.Check.NO_NEED_TO_PROMPT;
    },
  );
  const expected = new library.Check(
    'hinted_person',
    'somebody else signed in',
    'login_required',
    (ctx: KoaContextWithOIDC) => {
      refuseAnother(ctx);
      return library.Check.NO_NEED_TO_PROMPT;
    },
  );
  policy.get('login')?.checks.add(ended);
  policy.get('login')?.checks.add(expected);
  return policy;
}

/**
 * OpenID Connect Core §3.1.2.1 asks for an error when the person who signs in is not the person that `id_token_hint`
 * names. The library checks the hint before the sign-in, but not after it. It has already verified that we issued the
 * hint.
 */
function refuseAnother({ oidc: { params, result, session, claims } }: KoaContextWithOIDC): void {
  if (!result?.login) return;
  const { sub } = (claims.id_token ?? {}) as { sub?: RequestedClaim | null };
  const hint = params?.id_token_hint;
  const expected = [typeof hint === 'string' ? decodeJwt(hint).sub : undefined, sub?.value];
  if (expected.some((person) => person !== undefined && person !== session?.accountId))
    throw new errors.LoginRequired('somebody else signed in than the app expects');
}

/**
 * Core §5.5.1.1: if an essential acr cannot be met, the sign-in fails. This check is in the first prompt of the policy,
 * so it fails before the person types a password. The library would ask for the password again and again.
 */
function acrCheck() {
  return new library.Check(
    'acr',
    'the acr cannot be met',
    'login_required',
    ({ oidc }: KoaContextWithOIDC) => {
      const { acr } = (oidc.claims.id_token ?? {}) as { acr?: RequestedClaim | null };
      const wanted = acr?.value === undefined ? acr?.values : [acr.value];
      if (acr?.essential && Array.isArray(wanted) && !wanted.includes(passwordSignIn.acr))
        throw new errors.UnmetAuthenticationRequirements(`the only acr here is ${passwordSignIn.acr}`);
      return library.Check.NO_NEED_TO_PROMPT;
    },
  );
}

/** OpenID Connect Core §5.5.1. */
interface RequestedClaim {
  essential?: boolean;
  value?: unknown;
  values?: unknown;
}
