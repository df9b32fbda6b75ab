import { decodeJwt } from 'jose';
import { errors, type KoaContextWithOIDC, interactionPolicy as library } from 'oidc-provider';

/**
 * When a person is asked. To the library's own checks come two: a session whose account is gone, disabled, or was
 * signed out everywhere has to sign in again; and who signs in must be who the app expects.
 */
export function interactionPolicy() {
  const policy = library.base();
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
 * OpenID Connect Core §3.1.2.1 has an error for the app when another person signs in than `id_token_hint` names. The
 * library looks at the hint before somebody signs in, not after; it checked then that the hint is a token of ours.
 */
function refuseAnother({ oidc: { params, result, session, claims } }: KoaContextWithOIDC): void {
  if (!result?.login) return;
  const { acr, sub } = (claims.id_token ?? {}) as {
    acr?: RequestedClaim | null;
    sub?: RequestedClaim | null;
  };
  const hint = params?.id_token_hint;
  const expected = [typeof hint === 'string' ? decodeJwt(hint).sub : undefined, sub?.value];
  if (expected.some((person) => person !== undefined && person !== session?.accountId))
    throw new errors.LoginRequired('somebody else signed in than the app expects');
  // Core §5.5.1.1: one that can't be met is a failed sign-in; the library would ask for the password again and again.
  if (acr?.essential && (acr.value !== undefined || acr.values !== undefined))
    throw new errors.UnmetAuthenticationRequirements('no acr can be had here');
}

/** OpenID Connect Core §5.5.1. */
interface RequestedClaim {
  essential?: boolean;
  value?: unknown;
  values?: unknown;
}
