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
function refuseAnother({ oidc: { params, result, session } }: KoaContextWithOIDC): void {
  const hint = params?.id_token_hint;
  if (!result?.login || typeof hint !== 'string') return;
  if (decodeJwt(hint).sub !== session?.accountId)
    throw new errors.LoginRequired('somebody else signed in than the app expects');
}
