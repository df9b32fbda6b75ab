import { decodeJwt } from 'jose';
import { errors, type KoaContextWithOIDC, interactionPolicy as library } from 'oidc-provider';

/**
 * When a person sees a prompt. Two checks are added to the library's: a session whose account is deleted, disabled or was
 * signed out everywhere has to sign in again; and the person who signs in must be the one that the app expects.
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
 * OpenID Connect Core §3.1.2.1 asks for an error when another person signs in than `id_token_hint` names. The library checks
 * the hint before the sign-in, not after it; it has then verified that the hint is a token of ours.
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
  // Core §5.5.1.1: an acr that cannot be met fails the sign-in; the library would ask for the password again and again.
  if (acr?.essential && (acr.value !== undefined || acr.values !== undefined))
    throw new errors.UnmetAuthenticationRequirements('no acr can be had here');
}

/** OpenID Connect Core §5.5.1. */
interface RequestedClaim {
  essential?: boolean;
  value?: unknown;
  values?: unknown;
}
